// Watches one file descriptor from the event loop of one Node.js environment.
//
// A libuv handle outlives its owner until libuv has run its close callback; a handle left open in a worker
// aborts the process. So the uv_poll_t lives on the heap, and the destructor only starts closing it.
#pragma once

#include <uv.h>

#include <functional>

namespace netts {

class PollHandle {
 public:
  // `on_readable` runs on the loop's thread, never inside a call of this class. It may destroy this object.
  PollHandle(uv_loop_t* loop, int fd, std::function<void()> on_readable);
  ~PollHandle();
  PollHandle(const PollHandle&) = delete;
  PollHandle& operator=(const PollHandle&) = delete;

  // 0 or a negative libuv error.
  int status() const { return status_; }
  void Ref();
  void Unref();

 private:
  struct Watched {
    uv_poll_t handle;
    std::function<void()> on_readable;
  };
  Watched* watched_ = nullptr;
  int status_ = 0;
};

}  // namespace netts
