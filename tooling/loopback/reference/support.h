// What the reference programs have in common: every failure ends them.
#pragma once

#include <arpa/inet.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

[[noreturn]] inline void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}
inline void Check(const char* what, bool good) {
  if (!good) Fail(what);
}

// The next event, which has to be of this type. The caller acknowledges it.
inline rdma_cm_event* Await(rdma_event_channel* channel, rdma_cm_event_type type) {
  rdma_cm_event* event = nullptr;
  Check("rdma_get_cm_event", rdma_get_cm_event(channel, &event) == 0);
  if (event->event == type) return event;
  std::fprintf(stderr, "%s (%d) instead of %s\n", rdma_event_str(event->event), event->status, rdma_event_str(type));
  std::exit(1);
}
inline void Expect(rdma_event_channel* channel, rdma_cm_event_type type) { rdma_ack_cm_event(Await(channel, type)); }

inline sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline rdma_cm_id* Resolve(rdma_event_channel* channel, rdma_cm_id* id, int port) {
  sockaddr_in address = Loopback(port);
  Check("rdma_resolve_addr", rdma_resolve_addr(id, nullptr, reinterpret_cast<sockaddr*>(&address), 1000) == 0);
  Expect(channel, RDMA_CM_EVENT_ADDR_RESOLVED);
  Check("rdma_resolve_route", rdma_resolve_route(id, 1000) == 0);
  Expect(channel, RDMA_CM_EVENT_ROUTE_RESOLVED);
  return id;
}
