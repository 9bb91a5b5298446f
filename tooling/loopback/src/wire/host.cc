#include "host.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "../base/watch.h"

namespace loopback {

Host& Host::Own() {
  static Host* own = [] {
    auto* host = new Host;
    host->number_ = static_cast<uint64_t>(getpid()) << 32 ^ Now();
    host->mailbox_fd_ = SharedObject<Mailbox>::Create("netts_loopback-mailbox");
    host->timer_fd_ = FileDescriptor(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!host->mailbox_fd_.valid() || !host->timer_fd_.valid() || !host->mailbox_.Map(host->mailbox_fd_)) {
      std::perror("netts_loopback");
      std::abort();
    }
    return host;
  }();
  return *own;
}

std::shared_ptr<Host> Host::Find(uint64_t number, FileDescriptor mailbox, FileDescriptor timer) {
  // Called with the engine's lock held.
  static auto& known = *new std::unordered_map<uint64_t, std::weak_ptr<Host>>;
  if (number == Own().number()) return std::shared_ptr<Host>(&Own(), [](Host*) {});
  if (auto found = known[number].lock()) return found;
  auto host = std::make_shared<Host>();
  host->number_ = number;
  host->timer_fd_ = std::move(timer);
  if (!host->mailbox_.Map(mailbox)) return nullptr;
  for (auto entry = known.begin(); entry != known.end();) {
    entry = entry->second.expired() ? known.erase(entry) : std::next(entry);
  }
  known[number] = host;
  return host;
}

void Host::Wake(Ticks due) {
  // A process that polls pays for this once in that time: some 20 µs, when an event loop looks at what can be read.
  static const Ticks patience = FromNanoseconds(10e6);
  if (mailbox_->may_sleep.load(std::memory_order_seq_cst) == 0) due += patience;
  if (!mailbox_->WakeEarlier(due)) return;
  SetTimer(timer_fd_.get(), due);
  mailbox_->timers_set.fetch_add(1, std::memory_order_seq_cst);
}

}  // namespace loopback
