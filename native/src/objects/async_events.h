// Asynchronous events of devices (ibv_get_async_event).
//
// librdmacm keeps one context per device and process, so environments (worker threads) share the descriptor
// these events come from, and whichever reads first has the only copy. This hub, one per process, hands every
// event to all contexts of that device; objects are named by number, so that each takes what is its own.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "../loader/verbs_api.h"
#include "../util/poll_handle.h"

namespace netts {

class Context;

struct DeviceEvent {
  ibv_event_type type;
  // Of the queue pair, completion queue or shared receive queue it is about; 0 for ports and the device.
  uint64_t number;
  int port;
};

// One context's share of the hub. Made, used and destroyed on its environment's thread.
class AsyncEvents {
 public:
  explicit AsyncEvents(Context& context);
  ~AsyncEvents();
  AsyncEvents(const AsyncEvents&) = delete;
  AsyncEvents& operator=(const AsyncEvents&) = delete;

  // 0 or a negative libuv error.
  int Watch();
  // The oldest event not taken yet. False when there is none.
  bool Next(DeviceEvent* event);

  // Called by the hub on any thread.
  void Push(const DeviceEvent& event);
  ibv_context* verbs() const;

 private:
  void Drain();

  Context& context_;
  std::unique_ptr<PollHandle> poll_;
  std::mutex mutex_;
  std::deque<DeviceEvent> events_;
};

}  // namespace netts
