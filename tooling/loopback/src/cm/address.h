// The addresses of the device: the machine's own loopback addresses, and the Unix sockets behind them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>

namespace loopback {

// 127.0.0.0/8 and ::1.
bool IsLocal(const sockaddr* address);
// 0.0.0.0 and ::.
bool IsWildcard(const sockaddr* address);
sockaddr_storage CopyOf(const sockaddr* address);
// Where a connection to this address comes from, unless somebody says otherwise.
sockaddr_storage OwnAddressFor(const sockaddr* destination);
uint16_t PortOf(const sockaddr* address);
void SetPort(sockaddr* address, uint16_t port);

// An abstract name, which takes no place in the file system and is gone with its socket.
struct SocketName {
  sockaddr_un address;
  socklen_t byte_length;
};
// Of who listens at the address, or, `any_address`, at its port whatever the address.
SocketName NameOf(const sockaddr* address, bool any_address);

}  // namespace loopback
