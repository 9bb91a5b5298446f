#include "completion_channel.h"

#include <fcntl.h>

#include <cerrno>
#include <vector>

#include "../util/errors.h"
#include "completion_queue.h"

namespace netts {

CompletionChannel::CompletionChannel(std::shared_ptr<Context> context, ibv_comp_channel* channel)
    : Resource(context->shared_state(), kKind), context_(std::move(context)), channel_(channel) {}

int CompletionChannel::Watch() {
  const int flags = fcntl(channel_->fd, F_GETFL);
  if (flags < 0 || fcntl(channel_->fd, F_SETFL, flags | O_NONBLOCK) != 0) return -errno;
  poll_ = std::make_unique<PollHandle>(state().loop(), channel_->fd, [this] { Drain(); });
  return poll_->status();
}

void CompletionChannel::Close() noexcept {
  // Before the descriptor is closed: libuv must not watch one that may be somebody else's by then.
  poll_.reset();
  if (channel_ != nullptr) Ibv().destroy_comp_channel(channel_);
  channel_ = nullptr;
  context_.reset();
}

void CompletionChannel::Add(CompletionQueue* queue) { queues_.emplace(queue->number(), queue); }
void CompletionChannel::Remove(CompletionQueue* queue) { queues_.erase(queue->number()); }

void CompletionChannel::Drain() {
  // An armed queue gives one event, so what is pending is bounded by the number of queues. All of it is
  // taken before JavaScript runs: what it does may close queues, or this channel. When the last armed queue gave its
  // event there is none left, and no read that finds nothing; should there be one after all, such as of a queue that
  // was armed twice, the descriptor is still readable and the event loop comes back at once.
  std::vector<uint64_t> notified;
  ibv_cq* queue = nullptr;
  void* context = nullptr;
  do {
    if (Ibv().get_cq_event(channel_, &queue, &context) != 0) break;
    const auto found = queues_.find(reinterpret_cast<uint64_t>(context));
    if (found == queues_.end()) continue;
    found->second->CountEvent();
    notified.push_back(found->second->number());
  } while (armed_queues_ > 0);
  const std::shared_ptr<EnvState> env = shared_state();
  for (const uint64_t number : notified) env->Dispatch(number);
}

namespace {

// createCompletionChannel(context) → handle
Napi::Value CreateCompletionChannel(const Napi::CallbackInfo& info) {
  Context& context = Get<Context>(info[0]);
  ibv_comp_channel* verbs = Ibv().create_comp_channel(context.verbs());
  if (verbs == nullptr) throw SystemError(info.Env(), "ibv_create_comp_channel", errno);
  auto channel = std::make_shared<CompletionChannel>(Share(context), verbs);
  const int error = channel->Watch();
  if (error != 0) throw SystemError(info.Env(), "uv_poll_start", -error);
  return MakeHandle(info.Env(), channel);
}

// setChannelRef(channel, on)
void SetChannelRef(const Napi::CallbackInfo& info) {
  CompletionChannel& channel = Get<CompletionChannel>(info[0]);
  if (info[1].As<Napi::Boolean>()) {
    channel.Ref();
  } else {
    channel.Unref();
  }
}

}  // namespace

void RegisterCompletionChannel(Napi::Env env, Napi::Object exports) {
  exports.Set("createCompletionChannel", Napi::Function::New(env, CreateCompletionChannel));
  exports.Set("setChannelRef", Napi::Function::New(env, SetChannelRef));
}

}  // namespace netts
