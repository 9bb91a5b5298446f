#include "completion_queue.h"

#include <arpa/inet.h>
#include <uv.h>

#include <cerrno>
#include <string>
#include <utility>

#include "../direct_call.h"
#include "../layout.h"
#include "../util/errors.h"
#include "queue_pair.h"

namespace netts {
namespace {

constexpr unsigned kAcknowledgeBatch = 64;

void Write(const ibv_wc& from, CompletionRecord* to) {
  to->id_low = static_cast<uint32_t>(from.wr_id);
  to->id_high = static_cast<uint32_t>(from.wr_id >> 32);
  to->status = from.status;
  to->opcode = from.opcode;
  to->flags = from.wc_flags & (IBV_WC_WITH_IMM | IBV_WC_WITH_INV);
  to->byte_length = from.byte_len;
  // A key is in the byte order of the machine, immediate data in that of the network.
  to->immediate = (from.wc_flags & IBV_WC_WITH_INV) != 0 ? from.invalidated_rkey : ntohl(from.imm_data);
  to->queue_pair_number = from.qp_num;
  to->vendor_error = from.vendor_err;
}

}  // namespace

CompletionQueue::CompletionQueue(std::shared_ptr<CompletionChannel> channel, uint32_t batch,
                                 std::shared_ptr<SharedMemory> completions)
    : Resource(channel->shared_state(), kKind),
      channel_(std::move(channel)),
      taken_(batch),
      completions_(std::move(completions)) {}

int CompletionQueue::Create(int entries, int vector) {
  // Events carry the number, not a pointer: another thread may take them.
  void* context = reinterpret_cast<void*>(number());
  queue_ = Ibv().create_cq(channel_->context()->verbs(), entries, context, channel_->verbs(), vector);
  if (queue_ == nullptr) return errno;
  channel_->Add(this);
  channel_->context()->events().AddSubject(number());
  return 0;
}

void CompletionQueue::Close() noexcept {
  if (queue_ == nullptr) return;
  channel_->Remove(this);
  if (unacknowledged_ > 0) Ibv().ack_cq_events(queue_, unacknowledged_);
  unacknowledged_ = 0;
  Ibv().destroy_cq(queue_);
  queue_ = nullptr;
  RefuseCalls();
  Disarmed();
  channel_->context()->events().RemoveSubject(number());
  channel_.reset();
}

int CompletionQueue::Arm(bool solicited_only, Tells tells) {
  if (!std::exchange(armed_, true)) channel_->CountArmed(1);
  tells_ = tells;
  // siw does not count receives and errors as solicited: so all completions count there.
  if (queue_->context->device->transport_type == IBV_TRANSPORT_IWARP) solicited_only = false;
  return Errno(ibv_req_notify_cq(queue_, solicited_only ? 1 : 0));
}

void CompletionQueue::AddFlushed(uint64_t work_request_id, uint32_t queue_pair_number) {
  ibv_wc completion{};
  completion.wr_id = work_request_id;
  completion.status = IBV_WC_WR_FLUSH_ERR;
  completion.qp_num = queue_pair_number;
  flushed_.push_back(completion);
  if (!Disarmed()) return;
  if (tells_ == Tells::kChannel) channel_->Wake(this);
  state().DispatchSoon(tells_ == Tells::kChannel ? channel_->number() : number());
}

bool CompletionQueue::Disarmed() {
  if (!std::exchange(armed_, false)) return false;
  channel_->CountArmed(-1);
  return true;
}

CompletionQueue::Tells CompletionQueue::CountEvent() {
  Disarmed();
  if (++unacknowledged_ >= kAcknowledgeBatch) {
    Ibv().ack_cq_events(queue_, unacknowledged_);
    unacknowledged_ = 0;
  }
  return tells_;
}

int CompletionQueue::Take(ibv_wc* scratch, int capacity, CompletionRecord* out) {
  int count = ibv_poll_cq(queue_, capacity, scratch);
  if (count < 0) return -EIO;
  // Completions of the device come first: their requests were posted before.
  if (count == 0) {
    for (; count < capacity && !flushed_.empty(); ++count) {
      scratch[count] = flushed_.front();
      flushed_.pop_front();
    }
  }
  if (count == 0 && failed_) return -EIO;
  for (int index = 0; index < count; ++index) {
    const ibv_wc& completion = scratch[index];
    Write(completion, &out[index]);
    if (completion.status == IBV_WC_SUCCESS) continue;
    const auto pair = pairs_.find(completion.qp_num);
    if (pair != pairs_.end()) pair->second->MarkFailed();
  }
  return count;
}

int CompletionQueue::Poll(uint32_t spin_microseconds) {
  const int capacity = static_cast<int>(taken_.size());
  auto* records = reinterpret_cast<CompletionRecord*>(completions_->data());
  int count = Take(taken_.data(), capacity, records);
  if (count != 0 || spin_microseconds == 0) return count;
  const uint64_t deadline = uv_hrtime() + uint64_t{spin_microseconds} * 1000;
  do {
    count = Take(taken_.data(), capacity, records);
  } while (count == 0 && uv_hrtime() < deadline);
  return count;
}

namespace {

// createCompletionQueue(channel, entries, batch, vector) → { handle, number, callId, maxCompletions, buffer }
Napi::Value CreateCompletionQueue(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  CompletionChannel& channel = Get<CompletionChannel>(info[0]);
  const uint32_t batch = info[2].As<Napi::Number>().Uint32Value();
  RequirePositive(env, "batch", batch);
  const size_t byte_length = batch * sizeof(CompletionRecord);
  auto completions = SharedMemory::Map(byte_length);
  if (completions == nullptr) ThrowErrno(env, "mmap");
  auto queue = std::make_shared<CompletionQueue>(Share(channel), batch, completions);
  const int error = queue->Create(info[1].As<Napi::Number>().Int32Value(), info[3].As<Napi::Number>().Int32Value());
  if (error != 0) throw SystemError(env, "ibv_create_cq", error);
  if (!queue->AcceptCalls()) throw SystemError(env, "ibv_create_cq", ENOSPC);
  Napi::Object out = MakeHandle(env, queue).As<Napi::Object>();
  out.Set("maxCompletions", static_cast<double>(queue->verbs()->cqe));
  out.Set("buffer", ExposeMemory(env, completions, byte_length));
  return out;
}

// poll(queue's callId, spinMicroseconds) → count
int64_t Poll(Napi::Env env, CompletionQueue& queue, const Numbers<1>& numbers) {
  RequireShortSpin(env, numbers[0]);
  const int count = queue.Poll(numbers[0]);
  if (count < 0) throw SystemError(env, "ibv_poll_cq", -count);
  return count;
}

// arm(queue's callId, 1 for solicited completions only) → 0
int64_t Arm(Napi::Env env, CompletionQueue& queue, const Numbers<1>& numbers) {
  const int error = queue.Arm(numbers[0] == 1, CompletionQueue::Tells::kItself);
  if (error != 0) throw SystemError(env, "ibv_req_notify_cq", error);
  return 0;
}

}  // namespace

void RequireShortSpin(Napi::Env env, uint32_t spin_microseconds) {
  constexpr uint32_t kMaxSpinMicroseconds = 1'000'000;
  if (spin_microseconds <= kMaxSpinMicroseconds) return;
  throw CodedError(env, "ERR_NETTS_INVALID_ARGUMENT",
                   "spinMicroseconds is at most " + std::to_string(kMaxSpinMicroseconds));
}

void RegisterCompletionQueue(Napi::Env env, Napi::Object exports) {
  exports.Set("createCompletionQueue", Napi::Function::New(env, CreateCompletionQueue));
  SetDirectCall<CompletionQueue, 1, Poll>(env, exports, "poll");
  SetDirectCall<CompletionQueue, 1, Arm>(env, exports, "arm");
}

}  // namespace netts
