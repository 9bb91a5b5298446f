// A stand-in for libibverbs and librdmacm with one device that does nothing: work requests complete at once and
// successfully, and no byte moves. It measures what crossing into the addon costs, without what a device costs,
// and lets the addon run under sanitizers where there is no RDMA. Loaded through NETTS_IBVERBS_LIB and
// NETTS_RDMACM_LIB, which both name this file.
//
// Connecting always works and has no other end. With NETTS_NOOP_TRANSPORT=iwarp the device is an iWARP one. What
// nothing here needs fails with ENOSYS.
#include <fcntl.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>

#define NETTS_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

// How many completions a queue may hold: more than anybody asks for.
constexpr uint32_t kDepth = 1 << 16;

// A ring: what this device does by itself is to cost next to nothing.
struct Queue {
  ibv_cq verbs{};
  uint32_t posted = 0;
  uint32_t polled = 0;
  struct {
    uint64_t id;
    uint32_t pair;
  } completions[kDepth];
};

struct Pair {
  ibv_qp verbs{};
  Queue* send_queue = nullptr;
};

struct Channel {
  rdma_event_channel verbs{};
  std::deque<rdma_cm_event> events;
};

int PollCq(ibv_cq* verbs, int capacity, ibv_wc* out) {
  auto* queue = reinterpret_cast<Queue*>(verbs);
  int count = 0;
  for (; count < capacity && queue->polled != queue->posted; ++count) {
    const auto& completion = queue->completions[queue->polled++ % kDepth];
    out[count].wr_id = completion.id;
    out[count].status = IBV_WC_SUCCESS;
    out[count].opcode = IBV_WC_SEND;
    out[count].vendor_err = 0;
    out[count].byte_len = 0;
    out[count].qp_num = completion.pair;
    out[count].wc_flags = 0;
  }
  return count;
}

int PostSend(ibv_qp* verbs, ibv_send_wr* request, ibv_send_wr** bad) {
  Queue* queue = reinterpret_cast<Pair*>(verbs)->send_queue;
  for (; request != nullptr; request = request->next) {
    if ((request->send_flags & IBV_SEND_SIGNALED) == 0) continue;
    if (queue->posted - queue->polled == kDepth) {
      *bad = request;
      return ENOMEM;
    }
    queue->completions[queue->posted++ % kDepth] = {request->wr_id, verbs->qp_num};
  }
  return 0;
}

// Receives never complete: nobody sends.
int PostReceive(ibv_qp*, ibv_recv_wr*, ibv_recv_wr**) { return 0; }
int Notify(ibv_cq*, int) { return 0; }

ibv_device* Device() {
  static ibv_device* device = [] {
    auto* made = static_cast<ibv_device*>(calloc(1, sizeof(ibv_device)));
    made->node_type = IBV_NODE_CA;
    const char* transport = std::getenv("NETTS_NOOP_TRANSPORT");
    const bool iwarp = transport != nullptr && std::strcmp(transport, "iwarp") == 0;
    made->transport_type = iwarp ? IBV_TRANSPORT_IWARP : IBV_TRANSPORT_IB;
    std::strcpy(made->name, "noop0");
    return made;
  }();
  return device;
}

// Shared by everybody, as librdmacm's is.
ibv_context* SharedContext() {
  static ibv_context* context = [] {
    auto* made = static_cast<ibv_context*>(calloc(1, sizeof(ibv_context)));
    made->device = Device();
    made->ops.poll_cq = PollCq;
    made->ops.req_notify_cq = Notify;
    made->ops.post_send = PostSend;
    made->ops.post_recv = PostReceive;
    made->async_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return made;
  }();
  return context;
}

uint32_t NextNumber() {
  static uint32_t last = 0;
  return ++last;
}

int Tell(rdma_cm_id* id, rdma_cm_event_type type) {
  rdma_cm_event event{};
  event.id = id;
  event.event = type;
  auto* channel = reinterpret_cast<Channel*>(id->channel);
  channel->events.push_back(event);
  const uint64_t one = 1;
  return write(id->channel->fd, &one, sizeof(one)) == sizeof(one) ? 0 : -1;
}

int Unsupported() {
  errno = ENOSYS;
  return -1;
}

}  // namespace

NETTS_EXPORT ibv_device** ibv_get_device_list(int* count) {
  *count = 1;
  auto** list = static_cast<ibv_device**>(calloc(2, sizeof(ibv_device*)));
  list[0] = Device();
  return list;
}
NETTS_EXPORT void ibv_free_device_list(ibv_device** list) { free(list); }
NETTS_EXPORT const char* ibv_get_device_name(ibv_device* device) { return device->name; }
NETTS_EXPORT __be64 ibv_get_device_guid(ibv_device*) { return 0; }
NETTS_EXPORT ibv_context* ibv_open_device(ibv_device*) { return SharedContext(); }
NETTS_EXPORT int ibv_close_device(ibv_context*) { return 0; }
NETTS_EXPORT int ibv_query_device(ibv_context*, ibv_device_attr* out) {
  *out = {};
  out->max_qp = out->max_cq = out->max_mr = out->max_pd = 1 << 16;
  out->max_qp_wr = out->max_cqe = 1 << 16;
  out->max_sge = 16;
  out->max_mr_size = UINT64_MAX;
  out->phys_port_cnt = 1;
  return 0;
}
#undef ibv_query_port
NETTS_EXPORT int ibv_query_port(ibv_context*, uint8_t, _compat_ibv_port_attr* out) {
  auto* port = reinterpret_cast<ibv_port_attr*>(out);
  port->state = IBV_PORT_ACTIVE;
  port->active_mtu = IBV_MTU_4096;
  port->link_layer = IBV_LINK_LAYER_ETHERNET;
  return 0;
}
NETTS_EXPORT int ibv_query_gid(ibv_context*, uint8_t, int, ibv_gid*) { return Unsupported(); }
NETTS_EXPORT ibv_pd* ibv_alloc_pd(ibv_context* context) {
  auto* domain = new ibv_pd{};
  domain->context = context;
  return domain;
}
NETTS_EXPORT int ibv_dealloc_pd(ibv_pd* domain) {
  delete domain;
  return 0;
}
#undef ibv_reg_mr
NETTS_EXPORT ibv_mr* ibv_reg_mr(ibv_pd* domain, void* address, size_t byte_length, int) {
  auto* region = new ibv_mr{};
  region->context = domain->context;
  region->pd = domain;
  region->addr = address;
  region->length = byte_length;
  region->lkey = region->rkey = NextNumber();
  return region;
}
NETTS_EXPORT int ibv_dereg_mr(ibv_mr* region) {
  delete region;
  return 0;
}
NETTS_EXPORT ibv_comp_channel* ibv_create_comp_channel(ibv_context* context) {
  auto* channel = new ibv_comp_channel{};
  channel->context = context;
  channel->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return channel;
}
NETTS_EXPORT int ibv_destroy_comp_channel(ibv_comp_channel* channel) {
  close(channel->fd);
  delete channel;
  return 0;
}
NETTS_EXPORT ibv_cq* ibv_create_cq(ibv_context* context, int entries, void* user, ibv_comp_channel* channel, int) {
  auto* queue = new Queue;
  queue->verbs.context = context;
  queue->verbs.channel = channel;
  queue->verbs.cq_context = user;
  queue->verbs.cqe = entries;
  return &queue->verbs;
}
NETTS_EXPORT int ibv_destroy_cq(ibv_cq* queue) {
  delete reinterpret_cast<Queue*>(queue);
  return 0;
}
NETTS_EXPORT int ibv_get_cq_event(ibv_comp_channel*, ibv_cq**, void**) {
  errno = EAGAIN;
  return -1;
}
NETTS_EXPORT void ibv_ack_cq_events(ibv_cq*, unsigned) {}
NETTS_EXPORT ibv_srq* ibv_create_srq(ibv_pd*, ibv_srq_init_attr*) {
  errno = ENOSYS;
  return nullptr;
}
NETTS_EXPORT int ibv_modify_srq(ibv_srq*, ibv_srq_attr*, int) { return ENOSYS; }
NETTS_EXPORT int ibv_destroy_srq(ibv_srq*) { return ENOSYS; }
NETTS_EXPORT ibv_qp* ibv_create_qp(ibv_pd*, ibv_qp_init_attr*) {
  errno = ENOSYS;
  return nullptr;
}
NETTS_EXPORT int ibv_modify_qp(ibv_qp* pair, ibv_qp_attr* attributes, int mask) {
  if ((mask & IBV_QP_STATE) != 0) pair->state = attributes->qp_state;
  return 0;
}
NETTS_EXPORT int ibv_query_qp(ibv_qp* pair, ibv_qp_attr* out, int, ibv_qp_init_attr*) {
  out->qp_state = pair->state;
  return 0;
}
NETTS_EXPORT int ibv_destroy_qp(ibv_qp*) { return ENOSYS; }
NETTS_EXPORT int ibv_get_async_event(ibv_context*, ibv_async_event*) {
  errno = EAGAIN;
  return -1;
}
NETTS_EXPORT void ibv_ack_async_event(ibv_async_event*) {}
NETTS_EXPORT const char* ibv_event_type_str(ibv_event_type) { return "event"; }
NETTS_EXPORT const char* ibv_wc_status_str(ibv_wc_status) { return "status"; }
NETTS_EXPORT int ibv_fork_init() { return 0; }

NETTS_EXPORT rdma_event_channel* rdma_create_event_channel() {
  auto* channel = new Channel;
  channel->verbs.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE);
  return &channel->verbs;
}
NETTS_EXPORT void rdma_destroy_event_channel(rdma_event_channel* channel) {
  close(channel->fd);
  delete reinterpret_cast<Channel*>(channel);
}
NETTS_EXPORT int rdma_get_cm_event(rdma_event_channel* verbs, rdma_cm_event** out) {
  auto* channel = reinterpret_cast<Channel*>(verbs);
  uint64_t one;
  if (read(verbs->fd, &one, sizeof(one)) != sizeof(one)) return -1;
  *out = new rdma_cm_event(channel->events.front());
  channel->events.pop_front();
  return 0;
}
NETTS_EXPORT int rdma_ack_cm_event(rdma_cm_event* event) {
  delete event;
  return 0;
}
NETTS_EXPORT const char* rdma_event_str(rdma_cm_event_type) { return "event"; }
NETTS_EXPORT int rdma_create_id(rdma_event_channel* channel, rdma_cm_id** out, void* user, rdma_port_space space) {
  auto* id = new rdma_cm_id{};
  id->channel = channel;
  id->context = user;
  id->ps = space;
  *out = id;
  return 0;
}
NETTS_EXPORT int rdma_destroy_id(rdma_cm_id* id) {
  auto& events = reinterpret_cast<Channel*>(id->channel)->events;
  for (size_t index = events.size(); index-- > 0;) {
    if (events[index].id != id) continue;
    events.erase(events.begin() + static_cast<long>(index));
    uint64_t one;
    if (read(id->channel->fd, &one, sizeof(one)) != sizeof(one)) abort();
  }
  delete id;
  return 0;
}
NETTS_EXPORT int rdma_bind_addr(rdma_cm_id*, sockaddr*) { return Unsupported(); }
NETTS_EXPORT int rdma_listen(rdma_cm_id*, int) { return Unsupported(); }
NETTS_EXPORT int rdma_resolve_addr(rdma_cm_id* id, sockaddr*, sockaddr*, int) {
  id->verbs = SharedContext();
  return Tell(id, RDMA_CM_EVENT_ADDR_RESOLVED);
}
NETTS_EXPORT int rdma_resolve_route(rdma_cm_id* id, int) { return Tell(id, RDMA_CM_EVENT_ROUTE_RESOLVED); }
NETTS_EXPORT int rdma_connect(rdma_cm_id* id, rdma_conn_param*) {
  id->qp->state = IBV_QPS_RTS;
  return Tell(id, RDMA_CM_EVENT_ESTABLISHED);
}
NETTS_EXPORT int rdma_accept(rdma_cm_id*, rdma_conn_param*) { return Unsupported(); }
NETTS_EXPORT int rdma_reject(rdma_cm_id*, const void*, uint8_t) { return Unsupported(); }
NETTS_EXPORT int rdma_disconnect(rdma_cm_id* id) { return Tell(id, RDMA_CM_EVENT_DISCONNECTED); }
NETTS_EXPORT int rdma_notify(rdma_cm_id*, ibv_event_type) { return 0; }
NETTS_EXPORT int rdma_create_qp(rdma_cm_id* id, ibv_pd* domain, ibv_qp_init_attr* attributes) {
  auto* pair = new Pair;
  pair->verbs.context = SharedContext();
  pair->verbs.pd = domain;
  pair->verbs.qp_context = attributes->qp_context;
  pair->verbs.qp_num = NextNumber();
  pair->verbs.state = IBV_QPS_INIT;
  pair->send_queue = reinterpret_cast<Queue*>(attributes->send_cq);
  id->qp = &pair->verbs;
  return 0;
}
NETTS_EXPORT void rdma_destroy_qp(rdma_cm_id* id) {
  delete reinterpret_cast<Pair*>(id->qp);
  id->qp = nullptr;
}
NETTS_EXPORT int rdma_set_option(rdma_cm_id*, int, int, void*, size_t) { return 0; }
NETTS_EXPORT ibv_context** rdma_get_devices(int* count) {
  *count = 1;
  auto** list = static_cast<ibv_context**>(calloc(2, sizeof(ibv_context*)));
  list[0] = SharedContext();
  return list;
}
NETTS_EXPORT void rdma_free_devices(ibv_context** list) { free(list); }
