#include "unix_socket.h"

#include <unistd.h>

#include <cerrno>

#include "address.h"

namespace loopback {
namespace {

constexpr uint16_t kFirstEphemeralPort = 32768;
constexpr uint16_t kEphemeralPorts = 28000;

}  // namespace

FileDescriptor NewSocket() {
  return FileDescriptor(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

uint16_t NextEphemeralPort() {
  // Processes begin at different places, so that they seldom try what is taken.
  static auto last = static_cast<uint32_t>(getpid()) * 97;
  return static_cast<uint16_t>(kFirstEphemeralPort + ++last % kEphemeralPorts);
}

int BindSocket(int socket, sockaddr* address) {
  const bool chosen = PortOf(address) != 0;
  for (int tries = 0; tries < kEphemeralPorts; ++tries) {
    if (!chosen) SetPort(address, NextEphemeralPort());
    const SocketName name = NameOf(address, IsWildcard(address));
    if (bind(socket, reinterpret_cast<const sockaddr*>(&name.address), name.byte_length) == 0) return 0;
    if (chosen || errno != EADDRINUSE) return errno;
  }
  return EADDRINUSE;
}

int ConnectSocket(int socket, const sockaddr* address, bool any_address) {
  const SocketName name = NameOf(address, any_address);
  return connect(socket, reinterpret_cast<const sockaddr*>(&name.address), name.byte_length) == 0 ? 0 : errno;
}

}  // namespace loopback
