// The Unix sockets that carry what connection managers say to each other.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "../base/file_descriptor.h"

namespace loopback {

// Invalid, with errno, when there are no descriptors left.
FileDescriptor NewSocket();

// A port that is probably free.
uint16_t NextEphemeralPort();

// The others return 0 or an errno.

// Has the socket be the one of this address. Port 0 becomes one that is free.
int BindSocket(int socket, sockaddr* address);

// Connects to who listens at the address, or, `any_address`, at its port whatever the address.
int ConnectSocket(int socket, const sockaddr* address, bool any_address);

}  // namespace loopback
