// Posted receives: of one queue pair, or shared by several.
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>
#include <vector>

namespace loopback {

class QueuePair;

// A receive whose message came.
struct Receive {
  uint64_t id = 0;
  std::vector<ibv_sge> elements;
};

class ReceiveQueue {
 public:
  ReceiveQueue(uint32_t max_requests, uint32_t max_elements);

  uint64_t size() const { return posted_ - taken_; }
  // Returns 0, or ENOMEM when it is full, or EINVAL for too many elements.
  int Post(const ibv_recv_wr& request);
  // False: there is none.
  bool Take(Receive* out);

 private:
  struct Slot {
    uint64_t id;
    uint32_t element_count;
  };

  uint32_t max_elements_;
  std::vector<Slot> slots_;
  std::vector<ibv_sge> elements_;
  uint64_t posted_ = 0;
  uint64_t taken_ = 0;
};

// How ibv_post_recv and ibv_post_srq_recv go through their chain: returns 0 or an errno, with *bad.
template <typename Post>
int PostChain(ibv_recv_wr* request, ibv_recv_wr** bad, Post post) {
  for (; request != nullptr; request = request->next) {
    const int error = post(*request);
    if (error == 0) continue;
    *bad = request;
    return error;
  }
  return 0;
}

class SharedReceiveQueue : public ibv_srq {
 public:
  SharedReceiveQueue(ibv_pd* of, void* user, const ibv_srq_attr& attributes);
  ~SharedReceiveQueue();

  int Post(ibv_recv_wr* request, ibv_recv_wr** bad);
  // Raises the event when fewer than the limit are left.
  bool Take(Receive* out);
  // The queue pair wants to know when there are receives again.
  void AddWaiter(QueuePair* pair) { waiters_.push_back(pair); }
  void Forget(QueuePair* pair);
  void SetLimit(uint32_t limit);

 private:
  void CheckLimit();

  ReceiveQueue queue_;
  std::vector<QueuePair*> waiters_;
  uint32_t limit_ = 0;
};

}  // namespace loopback
