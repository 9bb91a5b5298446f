#include "async_events.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "completion_queue.h"
#include "context.h"

namespace netts {
namespace {

// Whoever reads an event holds this lock until the event was acknowledged and handed out.
std::mutex hub_mutex;
std::vector<AsyncEvents*> hub;

// The most events that wait for JavaScript; beyond that the oldest are dropped.
constexpr size_t kMaxPending = 4096;

uint64_t NumberOf(const void* context) { return reinterpret_cast<uint64_t>(context); }

// Must be read before the event is acknowledged: the object may be destroyed right after.
DeviceEvent Describe(const ibv_async_event& event) {
  switch (event.event_type) {
    case IBV_EVENT_CQ_ERR:
      return {event.event_type, true, NumberOf(event.element.cq->cq_context), 0};
    case IBV_EVENT_QP_FATAL:
    case IBV_EVENT_QP_REQ_ERR:
    case IBV_EVENT_QP_ACCESS_ERR:
    case IBV_EVENT_COMM_EST:
    case IBV_EVENT_SQ_DRAINED:
    case IBV_EVENT_PATH_MIG:
    case IBV_EVENT_PATH_MIG_ERR:
    case IBV_EVENT_QP_LAST_WQE_REACHED:
      return {event.event_type, true, NumberOf(event.element.qp->qp_context), 0};
    case IBV_EVENT_SRQ_ERR:
    case IBV_EVENT_SRQ_LIMIT_REACHED:
      return {event.event_type, true, NumberOf(event.element.srq->srq_context), 0};
    case IBV_EVENT_PORT_ACTIVE:
    case IBV_EVENT_PORT_ERR:
    case IBV_EVENT_LID_CHANGE:
    case IBV_EVENT_PKEY_CHANGE:
    case IBV_EVENT_SM_CHANGE:
    case IBV_EVENT_CLIENT_REREGISTER:
    case IBV_EVENT_GID_CHANGE:
      return {event.event_type, false, 0, event.element.port_num};
    case IBV_EVENT_WQ_FATAL:
      // No work queues are made here: the event is about an object of nobody.
      return {event.event_type, true, 0, 0};
    default:
      return {event.event_type, false, 0, 0};
  }
}

}  // namespace

AsyncEvents::AsyncEvents(Context& context) : context_(context) {
  std::lock_guard<std::mutex> lock(hub_mutex);
  hub.push_back(this);
}

AsyncEvents::~AsyncEvents() {
  std::lock_guard<std::mutex> lock(hub_mutex);
  hub.erase(std::find(hub.begin(), hub.end(), this));
}

int AsyncEvents::Watch() {
  const int fd = context_.verbs()->async_fd;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return -errno;
  poll_ = std::make_unique<PollHandle>(context_.state().loop(), fd, [this] { Drain(); });
  return poll_->status();
}

void AsyncEvents::Drain() {
  std::lock_guard<std::mutex> lock(hub_mutex);
  ibv_async_event event{};
  while (Ibv().get_async_event(context_.verbs(), &event) == 0) {
    const DeviceEvent copy = Describe(event);
    Ibv().ack_async_event(&event);
    for (AsyncEvents* share : hub) share->Offer(context_.verbs(), copy);
  }
}

void AsyncEvents::AddSubject(uint64_t number) {
  std::lock_guard<std::mutex> lock(mutex_);
  subjects_.insert(number);
}

void AsyncEvents::RemoveSubject(uint64_t number) {
  std::lock_guard<std::mutex> lock(mutex_);
  subjects_.erase(number);
}

void AsyncEvents::Offer(const ibv_context* device, const DeviceEvent& event) {
  if (context_.verbs() != device) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (event.names_object && subjects_.count(event.number) == 0) return;
    if (events_.size() == kMaxPending) events_.pop_front();
    events_.push_back(event);
  }
  context_.state().DispatchSoon(context_.number());
}

bool AsyncEvents::Next(DeviceEvent* event) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (events_.empty()) return false;
  *event = events_.front();
  events_.pop_front();
  if (event->type == IBV_EVENT_DEVICE_FATAL) context_.MarkRemoved();
  if (event->type == IBV_EVENT_CQ_ERR) {
    Resource* queue = context_.state().Find(ResourceKind::kCompletionQueue, event->number);
    if (queue != nullptr) static_cast<CompletionQueue*>(queue)->Fail();
  }
  return true;
}

}  // namespace netts
