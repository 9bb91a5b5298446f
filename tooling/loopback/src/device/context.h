// The device, as long as it is there, and its asynchronous events.
#pragma once

#include <infiniband/verbs.h>

#include <deque>

#include "../base/file_descriptor.h"
#include "../base/watch.h"

namespace loopback {

// What a process has of the device: one, which all share, as those of librdmacm are. After a removal it is another.
class Context : public ibv_context {
 public:
  // nullptr while the device is removed.
  static Context* Current();
  // The current one is gone for good; what belongs to it fails with EIO.
  static void Remove();
  // The device is there again, with a new context.
  static void Return();

  bool is_removed() const { return is_removed_; }
  ibv_port_state port_state() const { return port_state_; }
  // Raises the event as well.
  void SetPortState(ibv_port_state state);

  void Raise(const ibv_async_event& event);
  // False: there is none.
  bool Take(ibv_async_event* event);
  // The object is gone, and with it the events that name it.
  void Forget(const void* object);

 private:
  Context();

  bool is_removed_ = false;
  ibv_port_state port_state_ = IBV_PORT_ACTIVE;
  FileDescriptor epoll_;
  ReadableWhile has_events_;
  std::deque<ibv_async_event> events_;
};

inline Context& ContextOf(ibv_context* context) { return *static_cast<Context*>(context); }

// The functions that verbs.h calls through the context, of `verbs/operations.cc`.
void SetOperations(ibv_context_ops& operations);

}  // namespace loopback
