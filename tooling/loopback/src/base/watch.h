// Small things about descriptors that somebody else's event loop watches.
#pragma once

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>

#include "clock.h"

namespace loopback {

inline bool IsNonblocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

// The event loop that watches `epoll` learns when `fd` can be read.
inline bool WatchIn(int epoll, int fd, void* data) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = data;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

inline void StopWatching(int epoll, int fd) { epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr); }

// What an eventfd or timerfd counted, which makes it unreadable; 0 when there was nothing.
inline uint64_t TakeCount(int fd) {
  uint64_t count = 0;
  return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

inline void Signal(int eventfd) {
  const uint64_t one = 1;
  // It fails only when it counted 2^64 - 2 already, and then it can be read anyway.
  [[maybe_unused]] const ssize_t written = write(eventfd, &one, sizeof(one));
}

inline void SetTimer(int timerfd, Ticks due) {
  const int64_t nanoseconds = NanosecondsUntil(due);
  itimerspec timer{};
  timer.it_value.tv_sec = nanoseconds / 1'000'000'000;
  timer.it_value.tv_nsec = nanoseconds % 1'000'000'000;
  timerfd_settime(timerfd, 0, &timer, nullptr);
}

// An eventfd whose count says whether there is something, so that it can be read exactly as long as there is.
class ReadableWhile {
 public:
  ReadableWhile() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~ReadableWhile() { close(fd_); }
  ReadableWhile(const ReadableWhile&) = delete;
  ReadableWhile& operator=(const ReadableWhile&) = delete;

  int fd() const { return fd_; }
  void Set(bool something) {
    if (something == is_set_) return;
    is_set_ = something;
    if (something) {
      Signal(fd_);
    } else {
      TakeCount(fd_);
    }
  }

 private:
  int fd_;
  bool is_set_ = false;
};

}  // namespace loopback
