// Commands to the device from outside of the program, through the FIFO that NETTS_LOOPBACK_CONTROL names: a line each,
// `remove`, `return`, `fatal`, `port-down` or `port-up`.
#pragma once

#include "../device/context.h"

namespace loopback {

// Has the event loop that watches `epoll` woken when there are commands.
void WatchControl(int epoll);

// Carries out the commands that wait.
void ObeyControl();

// The device after that, whose events wake whoever watches it for commands as well. nullptr while it is removed.
Context* CurrentUnderControl();

}  // namespace loopback
