// Connecting on iWARP: the kernel makes the TCP connection within rdma_connect(), which blocks until the peer's host
// answers, or for two minutes if it does not. So it runs on a thread of its own; not on libuv's pool, where four hosts
// that do not answer would keep the whole process from reading files.
//
// A TCP connection must not end right after it was made: if siw (as of Linux 6.1) has not accepted it yet,
// siw_cm_llp_state_change() takes the end of the new connection for the end of the listener, whose sk_user_data it
// inherited. Then the peer's listener is destroyed, its memory is freed twice ("list_del corruption" in
// siw_destroy_listen()), and closing it hangs. So a connect is not interrupted in its first second.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "../env_state.h"

namespace netts {

class BlockingConnect {
 public:
  // Starts to connect. When that has ended, the environment dispatches `number`. `parameters.private_data` is copied.
  // Throws std::system_error when the process may have no further thread.
  BlockingConnect(EnvState& state, uint64_t number, rdma_cm_id* id, const rdma_conn_param& parameters);
  // Waits for the end, and interrupts the call a second after it began: then the id can be destroyed.
  ~BlockingConnect();
  // Interrupts the call if it has been running for a second. The thread may miss that: to be called until it has ended.
  void InterruptIfSilent();
  BlockingConnect(const BlockingConnect&) = delete;
  BlockingConnect& operator=(const BlockingConnect&) = delete;

  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // 0 or an errno, once it ended.
  int error() const { return error_; }

 private:
  std::vector<uint8_t> private_data_;
  int error_ = 0;
  std::atomic<bool> ended_{false};
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::thread thread_;
};

}  // namespace netts
