// librdmacm.
#include <poll.h>

#include <algorithm>
#include <cstdlib>

#include "../cm/cm_id.h"
#include "../control/control.h"
#include "export.h"
#include "limits.h"

using namespace loopback;

namespace {

CmId& IdOf(rdma_cm_id* id) { return *static_cast<CmId*>(id); }

}  // namespace

NETTS_EXPORT rdma_event_channel* rdma_create_event_channel() {
  Engine::Entered engine;
  auto* channel = new EventChannel;
  if (channel->ok()) {
    WatchControl(channel->fd);
    return channel;
  }
  const int error = errno;
  delete channel;
  return NullWithErrno<rdma_event_channel>(error);
}

NETTS_EXPORT void rdma_destroy_event_channel(rdma_event_channel* channel) {
  Engine::Entered engine;
  delete static_cast<EventChannel*>(channel);
}

NETTS_EXPORT int rdma_get_cm_event(rdma_event_channel* verbs, rdma_cm_event** out) {
  auto& channel = *static_cast<EventChannel*>(verbs);
  for (;;) {
    {
      Engine::Entered engine;
      ObeyControl();
      engine->WokeUp();
      engine->Settle();
      channel.Progress();
      if (CmEvent* event = channel.Take()) {
        *out = event;
        return 0;
      }
    }
    if (IsNonblocking(verbs->fd)) return WithErrno(EAGAIN);
    pollfd waits{verbs->fd, POLLIN, 0};
    if (poll(&waits, 1, -1) < 0) return -1;
  }
}

NETTS_EXPORT int rdma_ack_cm_event(rdma_cm_event* event) {
  delete static_cast<CmEvent*>(event);
  return 0;
}

NETTS_EXPORT const char* rdma_event_str(rdma_cm_event_type type) {
  static const char* const names[] = {
      "RDMA_CM_EVENT_ADDR_RESOLVED",   "RDMA_CM_EVENT_ADDR_ERROR",       "RDMA_CM_EVENT_ROUTE_RESOLVED",
      "RDMA_CM_EVENT_ROUTE_ERROR",     "RDMA_CM_EVENT_CONNECT_REQUEST",  "RDMA_CM_EVENT_CONNECT_RESPONSE",
      "RDMA_CM_EVENT_CONNECT_ERROR",   "RDMA_CM_EVENT_UNREACHABLE",      "RDMA_CM_EVENT_REJECTED",
      "RDMA_CM_EVENT_ESTABLISHED",     "RDMA_CM_EVENT_DISCONNECTED",     "RDMA_CM_EVENT_DEVICE_REMOVAL",
      "RDMA_CM_EVENT_MULTICAST_JOIN",  "RDMA_CM_EVENT_MULTICAST_ERROR",  "RDMA_CM_EVENT_ADDR_CHANGE",
      "RDMA_CM_EVENT_TIMEWAIT_EXIT"};
  return type <= RDMA_CM_EVENT_TIMEWAIT_EXIT ? names[type] : "UNKNOWN EVENT";
}

NETTS_EXPORT int rdma_create_id(rdma_event_channel* channel, rdma_cm_id** out, void* user, rdma_port_space space) {
  Engine::Entered engine;
  // Without a channel, calls would have to block.
  if (channel == nullptr || space != RDMA_PS_TCP) return WithErrno(ENOSYS);
  *out = new CmId(static_cast<EventChannel*>(channel), user, space);
  return 0;
}

NETTS_EXPORT int rdma_destroy_id(rdma_cm_id* id) {
  Engine::Entered engine;
  delete &IdOf(id);
  return 0;
}

NETTS_EXPORT int rdma_bind_addr(rdma_cm_id* id, sockaddr* address) {
  Engine::Entered engine;
  return WithErrno(IdOf(id).Bind(address));
}

NETTS_EXPORT int rdma_listen(rdma_cm_id* id, int) {
  Engine::Entered engine;
  return WithErrno(IdOf(id).Listen());
}

NETTS_EXPORT int rdma_resolve_addr(rdma_cm_id* id, sockaddr* source, sockaddr* destination, int timeout_ms) {
  Engine::Entered engine;
  return WithErrno(IdOf(id).ResolveAddress(source, destination, timeout_ms));
}

NETTS_EXPORT int rdma_resolve_route(rdma_cm_id* id, int) {
  Engine::Entered engine;
  return WithErrno(IdOf(id).ResolveRoute());
}

NETTS_EXPORT int rdma_connect(rdma_cm_id* id, rdma_conn_param* parameters) {
  Engine::Entered engine;
  return WithErrno(IdOf(id).Connect(*parameters));
}

NETTS_EXPORT int rdma_accept(rdma_cm_id* id, rdma_conn_param* parameters) {
  Engine::Entered engine;
  return WithErrno(IdOf(id).Accept(*parameters));
}

NETTS_EXPORT int rdma_reject(rdma_cm_id* id, const void* data, uint8_t byte_length) {
  Engine::Entered engine;
  return WithErrno(IdOf(id).Reject(data, byte_length));
}

NETTS_EXPORT int rdma_disconnect(rdma_cm_id* id) {
  Engine::Entered engine;
  // What came before is not lost by it.
  engine->Settle();
  return WithErrno(IdOf(id).Disconnect());
}

// A message that comes before the peer said that it is ready needs no telling: what it said comes by itself.
NETTS_EXPORT int rdma_notify(rdma_cm_id*, ibv_event_type) { return 0; }

NETTS_EXPORT int rdma_create_qp(rdma_cm_id* id, ibv_pd* domain, ibv_qp_init_attr* attributes) {
  Engine::Entered engine;
  if (IsRemoved(domain->context)) return WithErrno(EIO);
  ibv_qp_cap& limits = attributes->cap;
  limits.max_send_sge = std::max(limits.max_send_sge, 1u);
  limits.max_recv_sge = std::max(limits.max_recv_sge, 1u);
  if (id->qp != nullptr || attributes->qp_type != IBV_QPT_RC || limits.max_send_wr > kMaxWorkRequests ||
      limits.max_recv_wr > kMaxWorkRequests || limits.max_send_sge > kMaxElements ||
      limits.max_recv_sge > kMaxElements || limits.max_inline_data > kMaxInlineBytes) {
    return WithErrno(EINVAL);
  }
  auto* pair = new QueuePair(domain, *attributes);
  if (!pair->ok()) {
    delete pair;
    return WithErrno(ENOMEM);
  }
  id->qp = pair;
  return 0;
}

NETTS_EXPORT void rdma_destroy_qp(rdma_cm_id* id) {
  Engine::Entered engine;
  delete static_cast<QueuePair*>(id->qp);
  id->qp = nullptr;
}

NETTS_EXPORT int rdma_set_option(rdma_cm_id* id, int level, int option, void* value, size_t byte_length) {
  Engine::Entered engine;
  if (level != RDMA_OPTION_ID) return WithErrno(ENOSYS);
  switch (option) {
    case RDMA_OPTION_ID_ACK_TIMEOUT:
      if (byte_length != sizeof(uint8_t) || *static_cast<uint8_t*>(value) > 31) return WithErrno(EINVAL);
      IdOf(id).SetAckTimeout(*static_cast<uint8_t*>(value));
      return 0;
    // Nothing here has classes of traffic, and addresses of one family are never taken for the other's.
    case RDMA_OPTION_ID_TOS:
    case RDMA_OPTION_ID_REUSEADDR:
    case RDMA_OPTION_ID_AFONLY:
      return 0;
    default:
      return WithErrno(ENOSYS);
  }
}

NETTS_EXPORT ibv_context** rdma_get_devices(int* count) {
  Engine::Entered engine;
  Context* context = CurrentUnderControl();
  auto** list = static_cast<ibv_context**>(std::calloc(2, sizeof(ibv_context*)));
  if (list == nullptr) return nullptr;
  list[0] = context;
  if (count != nullptr) *count = context == nullptr ? 0 : 1;
  return list;
}

NETTS_EXPORT void rdma_free_devices(ibv_context** list) { std::free(list); }
