// Completion queues, and the channels that tell of them.
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>
#include <deque>
#include <vector>

#include "../base/file_descriptor.h"
#include "../base/watch.h"

namespace loopback {

class CompletionQueue;

// Its descriptor can be read while an event waits, and when something is due in the process: whoever asks for an
// event then does that first.
class CompletionChannel : public ibv_comp_channel {
 public:
  // ok() is false, with errno, when there are no descriptors left.
  explicit CompletionChannel(ibv_context* of);
  ~CompletionChannel();

  bool ok() const { return fd >= 0; }
  // How many queues it tells of.
  int queues = 0;
  // How many of them are armed.
  int armed = 0;
  void Add(CompletionQueue* queue);
  // nullptr: there is none.
  CompletionQueue* Take();
  void Forget(CompletionQueue* queue);

 private:
  FileDescriptor epoll_;
  ReadableWhile has_events_;
  std::deque<CompletionQueue*> events_;
};

class CompletionQueue : public ibv_cq {
 public:
  CompletionQueue(ibv_context* of, int entries, void* user, CompletionChannel* tells);
  ~CompletionQueue();

  void Push(const ibv_wc& completion, bool solicited);
  bool empty() const { return pushed_ == taken_; }
  bool is_armed() const { return armed_ != Armed::kNot; }
  // How many, or -1 where the queue has failed and is empty.
  int Poll(int capacity, ibv_wc* out);
  void Arm(bool solicited_only);

 private:
  enum class Armed : uint8_t { kNot, kSolicited, kAny };

  void Disarm();
  void Overrun();

  CompletionChannel* tells_;
  std::vector<ibv_wc> completions_;
  uint64_t pushed_ = 0;
  uint64_t taken_ = 0;
  Armed armed_ = Armed::kNot;
  bool failed_ = false;
};

}  // namespace loopback
