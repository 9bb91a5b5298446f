#include "address.h"

#include <arpa/inet.h>

#include <cstddef>
#include <cstdio>
#include <cstring>

namespace loopback {
namespace {

const sockaddr_in& V4(const sockaddr* address) { return *reinterpret_cast<const sockaddr_in*>(address); }
const sockaddr_in6& V6(const sockaddr* address) { return *reinterpret_cast<const sockaddr_in6*>(address); }

}  // namespace

bool IsLocal(const sockaddr* address) {
  if (address->sa_family == AF_INET) return ntohl(V4(address).sin_addr.s_addr) >> 24 == 127;
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&V6(address).sin6_addr);
}

bool IsWildcard(const sockaddr* address) {
  if (address->sa_family == AF_INET) return V4(address).sin_addr.s_addr == htonl(INADDR_ANY);
  return address->sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&V6(address).sin6_addr);
}

sockaddr_storage CopyOf(const sockaddr* address) {
  sockaddr_storage out{};
  std::memcpy(&out, address, address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
  return out;
}

sockaddr_storage OwnAddressFor(const sockaddr* destination) {
  sockaddr_storage out{};
  if (destination->sa_family == AF_INET6) {
    auto& own = reinterpret_cast<sockaddr_in6&>(out);
    own.sin6_family = AF_INET6;
    own.sin6_addr = in6addr_loopback;
  } else {
    auto& own = reinterpret_cast<sockaddr_in&>(out);
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  return out;
}

uint16_t PortOf(const sockaddr* address) {
  return ntohs(address->sa_family == AF_INET6 ? V6(address).sin6_port : V4(address).sin_port);
}

void SetPort(sockaddr* address, uint16_t port) {
  if (address->sa_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(address)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(address)->sin_port = htons(port);
  }
}

SocketName NameOf(const sockaddr* address, bool any_address) {
  char host[INET6_ADDRSTRLEN] = "*";
  if (!any_address && address->sa_family == AF_INET6) {
    inet_ntop(AF_INET6, &V6(address).sin6_addr, host, sizeof(host));
  } else if (!any_address) {
    inet_ntop(AF_INET, &V4(address).sin_addr, host, sizeof(host));
  }
  SocketName name{};
  name.address.sun_family = AF_UNIX;
  char* text = name.address.sun_path + 1;
  const int length = std::snprintf(text, sizeof(name.address.sun_path) - 1, "netts_loopback/%s/%u", host,
                                   static_cast<unsigned>(PortOf(address)));
  name.byte_length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + static_cast<size_t>(length));
  return name;
}

}  // namespace loopback
