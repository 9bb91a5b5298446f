// Connecting on iWARP: the kernel makes the TCP connection within rdma_connect(), which blocks until the peer's
// host answers, or for two minutes when it is silent. So there it runs on a thread of its own; not on libuv's
// pool, where four silent hosts would stop the whole process from reading files.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "../env_state.h"

namespace netts {

class BlockingConnect {
 public:
  // Starts. When it ended, the environment dispatches `number`. `parameters.private_data` is copied.
  BlockingConnect(EnvState& state, uint64_t number, rdma_cm_id* id, const rdma_conn_param& parameters);
  // Interrupts what still runs, and waits for it: from then on the id can be destroyed.
  ~BlockingConnect();
  BlockingConnect(const BlockingConnect&) = delete;
  BlockingConnect& operator=(const BlockingConnect&) = delete;

  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // 0 or an errno, once it ended.
  int error() const { return error_; }

 private:
  std::vector<uint8_t> private_data_;
  int error_ = 0;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace netts
