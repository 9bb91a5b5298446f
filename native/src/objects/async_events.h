// Asynchronous events of devices (ibv_get_async_event).
//
// librdmacm keeps one context per device and process, so environments (worker threads) share the descriptor of these
// events, and the one that reads an event has its only copy. This hub, one per process, hands each event out: an event
// about an object to the environment that made the object, if it is still open; an event about a port or the device to
// all contexts of that device.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "../loader/verbs_api.h"
#include "../util/poll_handle.h"

namespace netts {

class Context;

struct DeviceEvent {
  ibv_event_type type;
  bool names_object;
  // Of the queue pair, completion queue or shared receive queue it is about; 0 for ports and the device.
  uint64_t number;
  int port;
};

// The events of one context. Made, used and destroyed on its environment's thread.
class AsyncEvents {
 public:
  explicit AsyncEvents(Context& context);
  ~AsyncEvents();
  AsyncEvents(const AsyncEvents&) = delete;
  AsyncEvents& operator=(const AsyncEvents&) = delete;

  // 0 or a negative libuv error.
  int Watch();
  // Takes the oldest event. False when there is none.
  bool Next(DeviceEvent* event);

  // Objects of this context that events may name, by number: from their creation until they are destroyed.
  void AddSubject(uint64_t number);
  void RemoveSubject(uint64_t number);

 private:
  void Drain();
  // Called by the hub on any thread: takes the event if it concerns this context.
  void Offer(const ibv_context* device, const DeviceEvent& event);

  Context& context_;
  std::unique_ptr<PollHandle> poll_;
  std::mutex mutex_;
  std::deque<DeviceEvent> events_;
  std::unordered_set<uint64_t> subjects_;
};

}  // namespace netts
