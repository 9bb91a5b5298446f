#include "context.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "../base/settings.h"
#include "../wire/host.h"
#include "engine.h"
#include "queue_pair.h"

namespace loopback {
namespace {

// Never freed, any of them: whoever holds one that is removed has no way to know when to let go.
Context* current = nullptr;
bool is_plugged = true;

ibv_device* NewDevice() {
  auto* device = static_cast<ibv_device*>(std::calloc(1, sizeof(ibv_device)));
  if (device == nullptr) std::abort();
  const bool iwarp = GetSettings().calls_itself_iwarp;
  device->node_type = iwarp ? IBV_NODE_RNIC : IBV_NODE_CA;
  device->transport_type = iwarp ? IBV_TRANSPORT_IWARP : IBV_TRANSPORT_IB;
  std::strcpy(device->name, "netts_loopback0");
  std::strcpy(device->dev_name, "netts_loopback0");
  return device;
}

const void* ObjectOf(const ibv_async_event& event) {
  switch (event.event_type) {
    case IBV_EVENT_PORT_ACTIVE:
    case IBV_EVENT_PORT_ERR:
    case IBV_EVENT_DEVICE_FATAL:
      return nullptr;
    default:
      // A union of pointers.
      return event.element.qp;
  }
}

}  // namespace

Context::Context() : ibv_context{}, epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  device = NewDevice();
  SetOperations(ops);
  num_comp_vectors = 4;
  async_fd = epoll_.get();
  WatchIn(async_fd, has_events_.fd(), nullptr);
  WatchIn(async_fd, Host::Own().timer_fd(), nullptr);
}

Context* Context::Current() {
  if (current == nullptr && is_plugged) current = new Context;
  return current;
}

void Context::Remove() {
  is_plugged = false;
  if (current == nullptr) return;
  Context* removed = current;
  current = nullptr;
  removed->is_removed_ = true;
  Engine::Get().ForEach([removed](QueuePair& pair) {
    if (pair.context == removed) pair.Fail();
  });
  ibv_async_event event{};
  event.event_type = IBV_EVENT_DEVICE_FATAL;
  removed->Raise(event);
}

void Context::Return() { is_plugged = true; }

void Context::SetPortState(ibv_port_state state) {
  port_state_ = state;
  ibv_async_event event{};
  event.event_type = state == IBV_PORT_ACTIVE ? IBV_EVENT_PORT_ACTIVE : IBV_EVENT_PORT_ERR;
  event.element.port_num = 1;
  Raise(event);
}

void Context::Raise(const ibv_async_event& event) {
  events_.push_back(event);
  has_events_.Set(true);
}

bool Context::Take(ibv_async_event* event) {
  if (events_.empty()) return false;
  *event = events_.front();
  events_.pop_front();
  has_events_.Set(!events_.empty());
  return true;
}

void Context::Forget(const void* object) {
  const auto left = std::remove_if(events_.begin(), events_.end(),
                                   [object](const ibv_async_event& event) { return ObjectOf(event) == object; });
  events_.erase(left, events_.end());
  has_events_.Set(!events_.empty());
}

}  // namespace loopback
