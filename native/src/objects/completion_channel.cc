#include "completion_channel.h"

#include <fcntl.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "../direct_call.h"
#include "../util/errors.h"
#include "completion_queue.h"

namespace netts {

CompletionChannel::CompletionChannel(std::shared_ptr<Context> context, ibv_comp_channel* channel, uint32_t batch,
                                     std::shared_ptr<SharedMemory> completions)
    : Resource(context->shared_state(), kKind),
      context_(std::move(context)),
      channel_(channel),
      taken_(batch),
      completions_(std::move(completions)) {}

int CompletionChannel::Watch() {
  const int flags = fcntl(channel_->fd, F_GETFL);
  if (flags < 0 || fcntl(channel_->fd, F_SETFL, flags | O_NONBLOCK) != 0) return -errno;
  poll_ = std::make_unique<PollHandle>(state().loop(), channel_->fd, [this] { Drain(); });
  return poll_->status();
}

void CompletionChannel::Close() noexcept {
  // Before the descriptor is closed: it may be opened again for something else, which libuv must not watch.
  poll_.reset();
  if (channel_ != nullptr) Ibv().destroy_comp_channel(channel_);
  channel_ = nullptr;
  RefuseCalls();
  context_.reset();
}

void CompletionChannel::Add(CompletionQueue* queue) {
  queues_.emplace(queue->number(), queue);
  awake_.push_back(queue);
}

void CompletionChannel::Remove(CompletionQueue* queue) {
  queues_.erase(queue->number());
  awake_.erase(std::remove(awake_.begin(), awake_.end(), queue), awake_.end());
}

void CompletionChannel::Wake(CompletionQueue* queue) {
  if (std::find(awake_.begin(), awake_.end(), queue) == awake_.end()) awake_.push_back(queue);
}

int CompletionChannel::PollOnce() {
  const int capacity = static_cast<int>(taken_.size());
  auto* records = reinterpret_cast<CompletionRecord*>(completions_->data());
  int count = 0;
  bool failed = false;
  const size_t queues = awake_.size();
  for (size_t index = 0; index < queues; ++index) {
    const size_t at = (first_ + index) % queues;
    const int taken = awake_[at]->Take(taken_.data(), capacity - count, records + count);
    if (taken < 0) {
      failed = true;
      continue;
    }
    count += taken;
    if (count == capacity) {
      first_ = at + 1;
      break;
    }
  }
  return count == 0 && failed ? -EIO : count;
}

int CompletionChannel::Poll(uint32_t spin_microseconds) {
  int count = PollOnce();
  if (count != 0 || spin_microseconds == 0 || awake_.empty()) return count;
  const uint64_t deadline = uv_hrtime() + uint64_t{spin_microseconds} * 1000;
  do {
    count = PollOnce();
  } while (count == 0 && uv_hrtime() < deadline);
  return count;
}

int CompletionChannel::Arm() {
  const int capacity = static_cast<int>(taken_.size());
  auto* records = reinterpret_cast<CompletionRecord*>(completions_->data());
  int count = 0;
  size_t kept = 0;
  int error = 0;
  for (CompletionQueue* queue : awake_) {
    int taken = 0;
    if (error == 0 && count < capacity) {
      error = queue->Arm(false, CompletionQueue::Tells::kChannel);
      // Completions that came between the last poll and the arming cause no event.
      if (error == 0) taken = queue->Take(taken_.data(), capacity - count, records + count);
      if (taken < 0) error = -taken;
      if (error == 0 && taken == 0) continue;
    }
    if (taken > 0) count += taken;
    awake_[kept++] = queue;
  }
  awake_.resize(kept);
  // If completions were taken, the error is not reported now: the queue is still awake, and the next call fails.
  return count == 0 ? -error : count;
}

void CompletionChannel::Drain() {
  // An armed queue gives one event, so the number of events is bounded by that of queues. All are read before
  // JavaScript runs, since it may close queues, or this channel. When no queue is armed any more, no further event is
  // expected, so none is read. If there is one nevertheless, such as of a queue that was armed twice, the descriptor is
  // still readable and the event loop calls this again.
  std::vector<uint64_t> notified;
  bool wakes_channel = false;
  ibv_cq* verbs = nullptr;
  void* context = nullptr;
  do {
    if (Ibv().get_cq_event(channel_, &verbs, &context) != 0) break;
    const auto found = queues_.find(reinterpret_cast<uint64_t>(context));
    if (found == queues_.end()) continue;
    CompletionQueue* queue = found->second;
    if (queue->CountEvent() == CompletionQueue::Tells::kChannel) {
      Wake(queue);
      wakes_channel = true;
    } else {
      notified.push_back(queue->number());
    }
  } while (armed_queues_ > 0);
  const std::shared_ptr<EnvState> env = shared_state();
  const uint64_t own_number = number();
  for (const uint64_t number : notified) env->Dispatch(number);
  if (wakes_channel) env->Dispatch(own_number);
}

namespace {

// createCompletionChannel(context, batch) → { handle, number, callId, buffer }
Napi::Value CreateCompletionChannel(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Context& context = Get<Context>(info[0]);
  const uint32_t batch = info[1].As<Napi::Number>().Uint32Value();
  RequirePositive(env, "batch", batch);
  const size_t byte_length = batch * sizeof(CompletionRecord);
  auto completions = SharedMemory::Map(byte_length);
  if (completions == nullptr) ThrowErrno(env, "mmap");
  ibv_comp_channel* verbs = Ibv().create_comp_channel(context.verbs());
  if (verbs == nullptr) ThrowErrno(env, "ibv_create_comp_channel");
  auto channel = std::make_shared<CompletionChannel>(Share(context), verbs, batch, completions);
  const int error = channel->Watch();
  if (error != 0) throw SystemError(env, "uv_poll_start", -error);
  if (!channel->AcceptCalls()) throw SystemError(env, "ibv_create_comp_channel", ENOSPC);
  Napi::Object out = MakeHandle(env, channel).As<Napi::Object>();
  out.Set("buffer", ExposeMemory(env, completions, byte_length));
  return out;
}

// pollChannel(channel's callId, spinMicroseconds) → count
int64_t PollChannel(Napi::Env env, CompletionChannel& channel, const Numbers<1>& numbers) {
  RequireShortSpin(env, numbers[0]);
  const int count = channel.Poll(numbers[0]);
  if (count < 0) throw SystemError(env, "ibv_poll_cq", -count);
  return count;
}

// armChannel(channel's callId) → count
int64_t ArmChannel(Napi::Env env, CompletionChannel& channel, const Numbers<0>&) {
  const int count = channel.Arm();
  if (count < 0) throw SystemError(env, "ibv_req_notify_cq", -count);
  return count;
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
  SetDirectCall<CompletionChannel, 1, PollChannel>(env, exports, "pollChannel");
  SetDirectCall<CompletionChannel, 0, ArmChannel>(env, exports, "armChannel");
  exports.Set("setChannelRef", Napi::Function::New(env, SetChannelRef));
}

}  // namespace netts
