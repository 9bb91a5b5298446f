// The event channel of the connection manager: its descriptor can be read while an event waits, or something that may
// become one.
#pragma once

#include <rdma/rdma_cma.h>

#include <deque>
#include <vector>

#include "../base/clock.h"
#include "../base/file_descriptor.h"
#include "../base/watch.h"
#include "message.h"

namespace loopback {

class CmId;

struct CmEvent : rdma_cm_event {
  uint8_t data[kReplyDataBytes];
};

class EventChannel : public rdma_event_channel {
 public:
  // ok() is false, with errno, when there are no descriptors left.
  EventChannel();
  ~EventChannel();

  bool ok() const { return fd >= 0; }
  void Watch(CmId* id, int socket) { WatchIn(fd, socket, id); }
  void StopWatching(int socket) { loopback::StopWatching(fd, socket); }
  // The id's OnTimeout() is called then.
  void SetTimeout(CmId* id, Ticks due);

  // Looks at what can be read, and at what is due.
  void Progress();
  void Add(CmEvent* event);
  // nullptr: there is none. The caller deletes it.
  CmEvent* Take();
  // The id is gone. With a listener go the requests that nobody took.
  void Forget(CmId* id);

 private:
  struct Timeout {
    Ticks due;
    CmId* id;
  };

  void FireTimeouts();

  FileDescriptor epoll_;
  FileDescriptor timer_;
  ReadableWhile has_events_;
  std::deque<CmEvent*> events_;
  std::vector<Timeout> timeouts_;
};

}  // namespace loopback
