// A process as others see it: its mailbox, and the timer that wakes it.
#pragma once

#include <cstdint>
#include <memory>

#include "../base/file_descriptor.h"
#include "../base/shared_object.h"
#include "mailbox.h"

namespace loopback {

class Host {
 public:
  // This process. Made on first use; it ends with the process.
  static Host& Own();

  // The process with this number, whose descriptors another process handed on. nullptr, with errno, on failure.
  static std::shared_ptr<Host> Find(uint64_t number, FileDescriptor mailbox, FileDescriptor timer);

  // Whatever is unique enough on this machine.
  uint64_t number() const { return number_; }
  Mailbox& mailbox() const { return *mailbox_.get(); }
  int mailbox_fd() const { return mailbox_fd_.get(); }
  int timer_fd() const { return timer_fd_.get(); }

  // Tells the process to look at this queue pair, in which something is due then.
  void Notify(uint32_t queue_pair_index, Ticks due) {
    mailbox_->Post(queue_pair_index);
    Wake(due);
  }

  // Has the process's timer go off then, or, where it may not sleep, a little later: the process polls, or
  // it waits for something else and does not look by itself.
  void Wake(Ticks due);

 private:
  uint64_t number_ = 0;
  FileDescriptor mailbox_fd_;
  FileDescriptor timer_fd_;
  SharedObject<Mailbox> mailbox_;
};

}  // namespace loopback
