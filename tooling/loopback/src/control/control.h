// Commands to the device from outside of the program, through the FIFO that NETTS_LOOPBACK_CONTROL names: a line each,
// `remove`, `return`, `fatal`, `port-down` or `port-up`.
#pragma once

namespace loopback {

// Has the event loop that watches `epoll` woken when there are commands.
void WatchControl(int epoll);

// Carries out the commands that wait.
void ObeyControl();

}  // namespace loopback
