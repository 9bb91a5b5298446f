#include "event_channel.h"

#include <algorithm>

#include "../wire/host.h"
#include "cm_id.h"

namespace loopback {
namespace {

constexpr int kReadyAtOnce = 16;

}  // namespace

EventChannel::EventChannel()
    : rdma_event_channel{},
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  const bool watches = epoll_.valid() && timer_.valid() && WatchIn(epoll_.get(), has_events_.fd(), nullptr) &&
                       WatchIn(epoll_.get(), timer_.get(), nullptr) &&
                       WatchIn(epoll_.get(), Host::Own().timer_fd(), nullptr);
  fd = watches ? epoll_.get() : -1;
}

EventChannel::~EventChannel() {
  for (CmEvent* event : events_) delete event;
}

void EventChannel::Progress() {
  FireTimeouts();
  epoll_event ready[kReadyAtOnce];
  const int count = epoll_wait(fd, ready, kReadyAtOnce, 0);
  for (int index = 0; index < count; ++index) {
    // No id is destroyed in here but the one that this is about.
    if (ready[index].data.ptr != nullptr) static_cast<CmId*>(ready[index].data.ptr)->OnReadable();
  }
}

void EventChannel::SetTimeout(CmId* id, Ticks due) {
  timeouts_.push_back({due, id});
  const auto first = std::min_element(timeouts_.begin(), timeouts_.end(),
                                      [](const Timeout& one, const Timeout& other) { return one.due < other.due; });
  SetTimer(timer_.get(), first->due);
}

void EventChannel::FireTimeouts() {
  if (timeouts_.empty()) return;
  TakeCount(timer_.get());
  std::vector<Timeout> timeouts;
  timeouts.swap(timeouts_);
  const Ticks now = Now();
  for (const Timeout& timeout : timeouts) {
    if (timeout.due <= now) {
      timeout.id->OnTimeout();
    } else {
      SetTimeout(timeout.id, timeout.due);
    }
  }
}

void EventChannel::Add(CmEvent* event) {
  events_.push_back(event);
  has_events_.Set(true);
}

CmEvent* EventChannel::Take() {
  if (events_.empty()) return nullptr;
  CmEvent* event = events_.front();
  events_.pop_front();
  has_events_.Set(!events_.empty());
  return event;
}

void EventChannel::Forget(CmId* id) {
  const auto gone = [id](const Timeout& timeout) { return timeout.id == id; };
  timeouts_.erase(std::remove_if(timeouts_.begin(), timeouts_.end(), gone), timeouts_.end());
  // Destroying a request forgets its own events: look anew each time.
  for (size_t index = 0; index < events_.size();) {
    CmEvent* event = events_[index];
    if (event->id != id && event->listen_id != id) {
      ++index;
      continue;
    }
    events_.erase(events_.begin() + static_cast<long>(index));
    if (event->listen_id == id) {
      delete static_cast<CmId*>(event->id);
      index = 0;
    }
    delete event;
  }
  has_events_.Set(!events_.empty());
}

}  // namespace loopback
