#include "completion_queue.h"

#include <algorithm>

#include "../wire/host.h"
#include "context.h"
#include "engine.h"
#include "queue_pair.h"

namespace loopback {

CompletionChannel::CompletionChannel(ibv_context* of)
    : ibv_comp_channel{}, epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  context = of;
  const bool watches = epoll_.valid() && WatchIn(epoll_.get(), has_events_.fd(), nullptr) &&
                       WatchIn(epoll_.get(), Host::Own().timer_fd(), nullptr);
  fd = watches ? epoll_.get() : -1;
}

CompletionChannel::~CompletionChannel() = default;

void CompletionChannel::Add(CompletionQueue* queue) {
  events_.push_back(queue);
  has_events_.Set(true);
}

CompletionQueue* CompletionChannel::Take() {
  if (events_.empty()) return nullptr;
  CompletionQueue* queue = events_.front();
  events_.pop_front();
  has_events_.Set(!events_.empty());
  return queue;
}

void CompletionChannel::Forget(CompletionQueue* queue) {
  events_.erase(std::remove(events_.begin(), events_.end(), queue), events_.end());
  has_events_.Set(!events_.empty());
}

CompletionQueue::CompletionQueue(ibv_context* of, int entries, void* user, CompletionChannel* tells)
    : ibv_cq{}, tells_(tells), completions_(static_cast<size_t>(entries)) {
  context = of;
  channel = tells;
  cq_context = user;
  cqe = entries;
  if (tells_ != nullptr) ++tells_->queues;
}

CompletionQueue::~CompletionQueue() {
  Disarm();
  if (tells_ != nullptr) {
    tells_->Forget(this);
    --tells_->queues;
  }
  ContextOf(context).Forget(this);
}

void CompletionQueue::Push(const ibv_wc& completion, bool solicited) {
  if (failed_) return;
  if (pushed_ - taken_ == completions_.size()) return Overrun();
  completions_[pushed_++ % completions_.size()] = completion;
  const bool counts = solicited || completion.status != IBV_WC_SUCCESS;
  if (armed_ == Armed::kNot || (armed_ == Armed::kSolicited && !counts)) return;
  Disarm();
  if (tells_ != nullptr) tells_->Add(this);
}

int CompletionQueue::Poll(int capacity, ibv_wc* out) {
  int count = 0;
  for (; count < capacity && taken_ != pushed_; ++count) out[count] = completions_[taken_++ % completions_.size()];
  return count == 0 && failed_ ? -1 : count;
}

void CompletionQueue::Arm(bool solicited_only) {
  if (armed_ == Armed::kNot) {
    Engine::Get().CountArmed(1);
    if (tells_ != nullptr) ++tells_->armed;
  }
  // Armed for all, it stays so.
  if (armed_ != Armed::kAny) armed_ = solicited_only ? Armed::kSolicited : Armed::kAny;
}

void CompletionQueue::Disarm() {
  if (armed_ == Armed::kNot) return;
  armed_ = Armed::kNot;
  Engine::Get().CountArmed(-1);
  if (tells_ != nullptr) --tells_->armed;
}

void CompletionQueue::Overrun() {
  failed_ = true;
  ibv_async_event event{};
  event.event_type = IBV_EVENT_CQ_ERR;
  event.element.cq = this;
  ContextOf(context).Raise(event);
  Engine::Get().ForEach([this](QueuePair& pair) {
    if (pair.send_cq == this || pair.recv_cq == this) pair.Fail();
  });
}

}  // namespace loopback
