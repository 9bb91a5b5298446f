// A completion channel (ibv_comp_channel): its descriptor wakes the event loop when an armed queue on it got
// a completion.
#pragma once

#include <memory>
#include <unordered_map>

#include "../util/poll_handle.h"
#include "context.h"

namespace netts {

class CompletionQueue;

class CompletionChannel final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kCompletionChannel;
  static constexpr const char* kName = "the completion channel";

  CompletionChannel(std::shared_ptr<Context> context, ibv_comp_channel* channel);
  ~CompletionChannel() override { Close(); }

  // Starts watching: 0 or a negative libuv error.
  int Watch();
  void Close() noexcept override;
  bool closed() const noexcept override { return channel_ == nullptr; }
  ibv_comp_channel* verbs() const { return channel_; }
  const std::shared_ptr<Context>& context() const { return context_; }
  void Ref() { poll_->Ref(); }
  void Unref() { poll_->Unref(); }

  void Add(CompletionQueue* queue);
  void Remove(CompletionQueue* queue);
  // A queue was armed (1), or is no longer (-1).
  void CountArmed(int change) { armed_queues_ += change; }

 private:
  void Drain();

  std::shared_ptr<Context> context_;
  ibv_comp_channel* channel_;
  std::unique_ptr<PollHandle> poll_;
  std::unordered_map<uint64_t, CompletionQueue*> queues_;
  int armed_queues_ = 0;
};

void RegisterCompletionChannel(Napi::Env env, Napi::Object exports);

}  // namespace netts
