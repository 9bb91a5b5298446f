// libibverbs: the device, what it can do, and its asynchronous events.
#include <poll.h>

#include <cstdlib>
#include <cstring>

#include "../base/counters.h"
#include "../base/settings.h"
#include "../control/control.h"
#include "../wire/mailbox.h"
#include "export.h"
#include "limits.h"

using namespace loopback;

NETTS_EXPORT ibv_device** ibv_get_device_list(int* count) {
  Engine::Entered engine;
  Context* context = CurrentUnderControl();
  auto** list = static_cast<ibv_device**>(std::calloc(2, sizeof(ibv_device*)));
  if (list == nullptr) return nullptr;
  if (context != nullptr) list[0] = context->device;
  if (count != nullptr) *count = context == nullptr ? 0 : 1;
  return list;
}

NETTS_EXPORT void ibv_free_device_list(ibv_device** list) { std::free(list); }

NETTS_EXPORT const char* ibv_get_device_name(ibv_device* device) { return device->name; }

NETTS_EXPORT __be64 ibv_get_device_guid(ibv_device*) { return htobe64(0x6e65'7474'7300'0001); }

// All share the one context that librdmacm has as well.
NETTS_EXPORT ibv_context* ibv_open_device(ibv_device* device) {
  Engine::Entered engine;
  Context* context = Context::Current();
  return context == nullptr || context->device != device ? NullWithErrno<ibv_context>(ENODEV) : context;
}

NETTS_EXPORT int ibv_close_device(ibv_context*) { return 0; }

NETTS_EXPORT int ibv_query_device(ibv_context* context, ibv_device_attr* out) {
  Engine::Entered engine;
  if (IsRemoved(context)) return EIO;
  *out = {};
  std::strcpy(out->fw_ver, "loopback");
  out->max_mr_size = UINT64_MAX;
  out->page_size_cap = 4096;
  out->max_qp = static_cast<int>(kMaxQueuePairs);
  out->max_qp_wr = kMaxWorkRequests;
  out->device_cap_flags = IBV_DEVICE_MEM_WINDOW | IBV_DEVICE_MEM_WINDOW_TYPE_2B | IBV_DEVICE_MEM_MGT_EXTENSIONS;
  out->max_sge = kMaxElements;
  out->max_cq = out->max_pd = out->max_mr = out->max_mw = 1 << 20;
  out->max_cqe = kMaxCompletions;
  out->max_qp_rd_atom = out->max_qp_init_rd_atom = kMaxReads;
  out->atomic_cap = IBV_ATOMIC_HCA;
  out->max_srq = 1 << 16;
  out->max_srq_wr = kMaxWorkRequests;
  out->max_srq_sge = kMaxElements;
  out->phys_port_cnt = 1;
  return 0;
}

#undef ibv_query_port
NETTS_EXPORT int ibv_query_port(ibv_context* context, uint8_t number, _compat_ibv_port_attr* out) {
  Engine::Entered engine;
  if (IsRemoved(context)) return EIO;
  if (number != 1) return EINVAL;
  // As its callers have always been told: the beginning of an ibv_port_attr that they zeroed.
  auto* port = reinterpret_cast<ibv_port_attr*>(out);
  port->state = ContextOf(context).port_state();
  port->max_mtu = port->active_mtu = IBV_MTU_4096;
  port->max_msg_sz = UINT32_MAX;
  port->gid_tbl_len = 1;
  port->link_layer = IBV_LINK_LAYER_ETHERNET;
  return 0;
}

NETTS_EXPORT int ibv_query_gid(ibv_context* context, uint8_t, int index, ibv_gid* out) {
  Engine::Entered engine;
  if (IsRemoved(context)) return WithErrno(EIO);
  if (index != 0) return WithErrno(EINVAL);
  // ::ffff:127.0.0.1
  *out = {};
  out->raw[10] = out->raw[11] = 0xff;
  out->raw[12] = 127;
  out->raw[15] = 1;
  return 0;
}

NETTS_EXPORT int ibv_get_async_event(ibv_context* context, ibv_async_event* out) {
  for (;;) {
    {
      Engine::Entered engine;
      ObeyControl();
      engine->WokeUp();
      engine->Settle();
      if (ContextOf(context).Take(out)) return 0;
    }
    if (IsNonblocking(context->async_fd)) return WithErrno(EAGAIN);
    pollfd waits{context->async_fd, POLLIN, 0};
    if (poll(&waits, 1, -1) < 0) return -1;
  }
}

// An event is the caller's own copy.
NETTS_EXPORT void ibv_ack_async_event(ibv_async_event*) {}

NETTS_EXPORT const char* ibv_event_type_str(ibv_event_type type) {
  switch (type) {
    case IBV_EVENT_CQ_ERR:
      return "CQ error";
    case IBV_EVENT_QP_REQ_ERR:
      return "local work queue invalid request error";
    case IBV_EVENT_QP_ACCESS_ERR:
      return "local access violation work queue error";
    case IBV_EVENT_DEVICE_FATAL:
      return "local catastrophic error";
    case IBV_EVENT_PORT_ACTIVE:
      return "port active";
    case IBV_EVENT_PORT_ERR:
      return "port error";
    case IBV_EVENT_SRQ_LIMIT_REACHED:
      return "SRQ limit reached";
    case IBV_EVENT_QP_LAST_WQE_REACHED:
      return "last WQE reached";
    default:
      return "an event that this device never raises";
  }
}

NETTS_EXPORT const char* ibv_wc_status_str(ibv_wc_status status) {
  static const char* const names[] = {
      "success", "local length error", "local QP operation error", "local EE context operation error",
      "local protection error", "Work Request Flushed Error", "memory bind operation error", "bad response error",
      "local access error", "remote invalid request error", "remote access error", "remote operation error",
      "transport retry counter exceeded", "RNR retry counter exceeded"};
  return status <= IBV_WC_RNR_RETRY_EXC_ERR ? names[status] : "unknown";
}

// Memory is shared with nothing but this process.
NETTS_EXPORT int ibv_fork_init() { return 0; }

// Before anything is measured: reading the settings and the clock takes milliseconds.
__attribute__((constructor)) static void Load() {
  GetSettings();
  GetCounters();
}
