// A completion queue (ibv_cq): polled in batches into an array that JavaScript reads.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "../util/shared_memory.h"
#include "completion_channel.h"

namespace netts {

class QueuePair;

class CompletionQueue final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kCompletionQueue;
  static constexpr const char* kName = "the completion queue";

  CompletionQueue(std::shared_ptr<CompletionChannel> channel, uint32_t batch,
                  std::shared_ptr<SharedMemory> completions);
  ~CompletionQueue() override { Close(); }

  // 0 or an errno.
  int Create(int entries, int vector);
  void Close() noexcept override;
  bool closed() const noexcept override { return queue_ == nullptr; }
  ibv_cq* verbs() const { return queue_; }

  // The device reported that the queue failed, because it was overrun: polling it fails from now on.
  void Fail() { failed_ = true; }
  // Who is notified of the completion for which it was armed.
  enum class Tells : uint8_t { kItself, kChannel };

  // Takes completions, the oldest first, into `out`. Returns how many, or a negative errno when the queue failed.
  int Take(ibv_wc* scratch, int capacity, CompletionRecord* out);
  // The same into its own array. While there is none, it goes on asking for `spin_microseconds`.
  int Poll(uint32_t spin_microseconds);
  // 0 or an errno.
  int Arm(bool solicited_only, Tells tells);
  // Queue pairs whose completions come here: told when one of theirs failed.
  void Attach(uint32_t queue_pair_number, QueuePair* pair) { pairs_[queue_pair_number] = pair; }
  void Detach(uint32_t queue_pair_number) { pairs_.erase(queue_pair_number); }
  // Adds a flushed completion, as the device should, and wakes the queue when it is armed.
  void AddFlushed(uint64_t work_request_id, uint32_t queue_pair_number);
  // An event of the queue was read from the channel. Returns who is to be notified. Acknowledging takes a lock, so it
  // is done for many events at a time; the queue cannot be destroyed before.
  Tells CountEvent();
  uint32_t batch() const { return static_cast<uint32_t>(taken_.size()); }
  const std::shared_ptr<SharedMemory>& completions() const { return completions_; }

 private:
  // It is no longer armed. False when it was not armed before.
  bool Disarmed();

  std::shared_ptr<CompletionChannel> channel_;
  ibv_cq* queue_ = nullptr;
  std::vector<ibv_wc> taken_;
  std::shared_ptr<SharedMemory> completions_;
  std::unordered_map<uint32_t, QueuePair*> pairs_;
  std::deque<ibv_wc> flushed_;
  bool armed_ = false;
  Tells tells_ = Tells::kItself;
  unsigned unacknowledged_ = 0;
  bool failed_ = false;
};

// Throws ERR_NETTS_INVALID_ARGUMENT for more than a second, since the event loop stands still while a poll spins.
void RequireShortSpin(Napi::Env env, uint32_t spin_microseconds);

void RegisterCompletionQueue(Napi::Env env, Napi::Object exports);

}  // namespace netts
