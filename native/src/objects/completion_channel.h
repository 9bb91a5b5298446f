// A completion channel (ibv_comp_channel): its descriptor wakes the event loop when an armed queue on it got
// a completion.
//
// It also takes the completions of all its queues, in one call however many they are. A queue is awake, and looked at,
// until it was armed and found empty; its next completion wakes it. So what sleeps costs nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "../layout.h"
#include "../util/poll_handle.h"
#include "../util/shared_memory.h"
#include "context.h"

namespace netts {

class CompletionQueue;

class CompletionChannel final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kCompletionChannel;
  static constexpr const char* kName = "the completion channel";

  // `completions` has room for `batch` records.
  CompletionChannel(std::shared_ptr<Context> context, ibv_comp_channel* channel, uint32_t batch,
                    std::shared_ptr<SharedMemory> completions);
  ~CompletionChannel() override { Close(); }

  // Starts watching: 0 or a negative libuv error.
  int Watch();
  void Close() noexcept override;
  bool closed() const noexcept override { return channel_ == nullptr; }
  ibv_comp_channel* verbs() const { return channel_; }
  const std::shared_ptr<Context>& context() const { return context_; }
  void Ref() { poll_->Ref(); }
  void Unref() { poll_->Unref(); }

  // A queue begins awake.
  void Add(CompletionQueue* queue);
  void Remove(CompletionQueue* queue);
  // The queue that Arm() armed has something.
  void Wake(CompletionQueue* queue);
  // Takes completions of the queues that are awake: how many, or a negative number when there is none and a queue
  // failed. Keeps asking for `spin_microseconds` while there is none.
  int Poll(uint32_t spin_microseconds);
  // Arms the queues that are awake, and puts to sleep those that are empty all the same. Takes completions as Poll()
  // does, or returns a negative errno when a queue cannot be armed.
  int Arm();
  // A queue was armed (1), or is no longer (-1).
  void CountArmed(int change) { armed_queues_ += change; }

 private:
  void Drain();
  int PollOnce();

  std::shared_ptr<Context> context_;
  ibv_comp_channel* channel_;
  std::vector<ibv_wc> taken_;
  std::shared_ptr<SharedMemory> completions_;
  std::vector<CompletionQueue*> awake_;
  // Where in awake_ the next look begins: one that always has a full batch must not keep the others waiting.
  size_t first_ = 0;
  std::unique_ptr<PollHandle> poll_;
  std::unordered_map<uint64_t, CompletionQueue*> queues_;
  int armed_queues_ = 0;
};

void RegisterCompletionChannel(Napi::Env env, Napi::Object exports);

}  // namespace netts
