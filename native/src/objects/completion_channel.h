// A completion channel (ibv_comp_channel): its descriptor wakes the event loop when an armed queue on it gets a
// completion.
//
// It can also poll all its queues in one call. A queue is awake, and polled, until it was armed and found empty; its
// next completion wakes it. So sleeping queues cost nothing.
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
  // A queue that Arm() armed has a completion.
  void Wake(CompletionQueue* queue);
  // Takes completions of the queues that are awake: returns how many, or a negative errno when there is none and a
  // queue failed. While there is none, it goes on asking for `spin_microseconds`.
  int Poll(uint32_t spin_microseconds);
  // Arms the queues that are awake, and polls each once more: those that are empty sleep. Returns how many completions
  // it took, or a negative errno when there was none and a queue failed or cannot be armed.
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
  // Where in awake_ the next poll begins, so that a queue with a full batch each time does not delay the others.
  size_t first_ = 0;
  std::unique_ptr<PollHandle> poll_;
  std::unordered_map<uint64_t, CompletionQueue*> queues_;
  int armed_queues_ = 0;
};

void RegisterCompletionChannel(Napi::Env env, Napi::Object exports);

}  // namespace netts
