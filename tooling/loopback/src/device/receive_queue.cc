#include "receive_queue.h"

#include <algorithm>
#include <cerrno>

#include "context.h"
#include "engine.h"
#include "queue_pair.h"

namespace loopback {

ReceiveQueue::ReceiveQueue(uint32_t max_requests, uint32_t max_elements)
    : max_elements_(max_elements), slots_(max_requests), elements_(size_t{max_requests} * max_elements) {}

int ReceiveQueue::Post(const ibv_recv_wr& request) {
  if (size() == slots_.size()) return ENOMEM;
  if (request.num_sge < 0 || static_cast<uint32_t>(request.num_sge) > max_elements_) return EINVAL;
  const size_t index = posted_++ % slots_.size();
  slots_[index] = {request.wr_id, static_cast<uint32_t>(request.num_sge)};
  std::copy_n(request.sg_list, request.num_sge, elements_.begin() + static_cast<long>(index * max_elements_));
  return 0;
}

bool ReceiveQueue::Take(Receive* out) {
  if (size() == 0) return false;
  const size_t index = taken_++ % slots_.size();
  const auto first = elements_.begin() + static_cast<long>(index * max_elements_);
  out->id = slots_[index].id;
  out->elements.assign(first, first + slots_[index].element_count);
  return true;
}

SharedReceiveQueue::SharedReceiveQueue(ibv_pd* of, void* user, const ibv_srq_attr& attributes)
    : ibv_srq{}, queue_(attributes.max_wr, attributes.max_sge) {
  context = of->context;
  pd = of;
  srq_context = user;
}

SharedReceiveQueue::~SharedReceiveQueue() { ContextOf(context).Forget(this); }

int SharedReceiveQueue::Post(ibv_recv_wr* request, ibv_recv_wr** bad) {
  const int error = PostChain(request, bad, [this](const ibv_recv_wr& each) { return queue_.Post(each); });
  // Each takes one at most, and waits again if there was none left.
  std::vector<QueuePair*> waiters;
  waiters.swap(waiters_);
  for (QueuePair* pair : waiters) Engine::Get().Schedule(pair, 0);
  return error;
}

bool SharedReceiveQueue::Take(Receive* out) {
  if (!queue_.Take(out)) return false;
  CheckLimit();
  return true;
}

void SharedReceiveQueue::Forget(QueuePair* pair) {
  waiters_.erase(std::remove(waiters_.begin(), waiters_.end(), pair), waiters_.end());
}

void SharedReceiveQueue::SetLimit(uint32_t limit) {
  limit_ = limit;
  CheckLimit();
}

void SharedReceiveQueue::CheckLimit() {
  if (queue_.size() >= limit_) return;
  // Once, until it is set anew.
  limit_ = 0;
  ibv_async_event event{};
  event.event_type = IBV_EVENT_SRQ_LIMIT_REACHED;
  event.element.srq = this;
  ContextOf(context).Raise(event);
}

}  // namespace loopback
