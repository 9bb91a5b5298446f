// A stand-in for libibverbs and librdmacm with one device that does nothing: work requests complete at once and
// successfully, and no byte moves. It measures what crossing into the addon costs, without what a device costs,
// and lets the addon run under sanitizers where there is no RDMA. Loaded through NETTS_IBVERBS_LIB and
// NETTS_RDMACM_LIB, which both name this file.
//
// Connecting always works and has no other end. With NETTS_NOOP_TRANSPORT=iwarp the device is an iWARP one. What
// nothing here needs fails with ENOSYS.
//
// Programs bring misfortunes about by numbers that mean nothing else:
// - a Write with the remote key kWrongKey fails, and IBV_EVENT_QP_ACCESS_ERR names the queue pair it was posted to;
// - resolving an address with the port kRemovalPort takes the device away, and puts another of its name in its place.
//   What belongs to the one that is gone cannot be deregistered any more: the kernel says EIO.
// With NETTS_NOOP_REPORT=1 it says at the end how often completion channels were read, and how often in vain.
#include <arpa/inet.h>
#include <fcntl.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>

#define NETTS_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

// How many completions a queue may hold: more than anybody asks for.
constexpr uint32_t kDepth = 1 << 16;
constexpr uint32_t kWrongKey = 0xbad;
constexpr uint16_t kRemovalPort = 666;

// A ring: what this device does by itself is to cost next to nothing.
struct Queue {
  ibv_cq verbs{};
  uint32_t posted = 0;
  uint32_t polled = 0;
  bool armed = false;
  struct {
    uint64_t id;
    uint32_t pair;
    ibv_wc_status status;
  } completions[kDepth];
};

struct CompletionChannel {
  ibv_comp_channel verbs{};
  std::deque<Queue*> fired;
};

struct Pair {
  ibv_qp verbs{};
  Queue* send_queue = nullptr;
};

struct Channel {
  rdma_event_channel verbs{};
  std::deque<rdma_cm_event> events;
};

// librdmacm's context for the device, shared by everybody.
struct Context {
  ibv_context verbs{};
  std::atomic<bool> removed{false};
  // Several threads post and read.
  std::mutex mutex;
  std::deque<ibv_async_event> events;
};

std::atomic<unsigned> channel_reads{0};
std::atomic<unsigned> channel_reads_in_vain{0};

// Descriptors count what there is to read.
int Counter() { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE); }
void CountUp(int fd) {
  const uint64_t one = 1;
  if (write(fd, &one, sizeof(one)) != sizeof(one)) abort();
}
bool CountDown(int fd) {
  uint64_t one;
  return read(fd, &one, sizeof(one)) == sizeof(one);
}

void Raise(Context* context, const ibv_async_event& event) {
  std::lock_guard<std::mutex> lock(context->mutex);
  context->events.push_back(event);
  CountUp(context->verbs.async_fd);
}

void Complete(Queue* queue, uint64_t id, uint32_t pair, ibv_wc_status status) {
  queue->completions[queue->posted++ % kDepth] = {id, pair, status};
  if (!queue->armed) return;
  queue->armed = false;
  reinterpret_cast<CompletionChannel*>(queue->verbs.channel)->fired.push_back(queue);
  CountUp(queue->verbs.channel->fd);
}

int PollCq(ibv_cq* verbs, int capacity, ibv_wc* out) {
  auto* queue = reinterpret_cast<Queue*>(verbs);
  int count = 0;
  for (; count < capacity && queue->polled != queue->posted; ++count) {
    const auto& completion = queue->completions[queue->polled++ % kDepth];
    out[count].wr_id = completion.id;
    out[count].status = completion.status;
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
    const bool fails = request->opcode == IBV_WR_RDMA_WRITE && request->wr.rdma.rkey == kWrongKey;
    if ((request->send_flags & IBV_SEND_SIGNALED) == 0 && !fails) continue;
    if (queue->posted - queue->polled == kDepth) {
      *bad = request;
      return ENOMEM;
    }
    Complete(queue, request->wr_id, verbs->qp_num, fails ? IBV_WC_REM_ACCESS_ERR : IBV_WC_SUCCESS);
    if (!fails) continue;
    ibv_async_event event{};
    event.event_type = IBV_EVENT_QP_ACCESS_ERR;
    event.element.qp = verbs;
    Raise(reinterpret_cast<Context*>(verbs->context), event);
  }
  return 0;
}

// Receives never complete: nobody sends.
int PostReceive(ibv_qp*, ibv_recv_wr*, ibv_recv_wr**) { return 0; }
int Notify(ibv_cq* verbs, int) {
  reinterpret_cast<Queue*>(verbs)->armed = true;
  return 0;
}

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

Context* MakeContext() {
  auto* made = new Context;
  made->verbs.device = Device();
  made->verbs.ops.poll_cq = PollCq;
  made->verbs.ops.req_notify_cq = Notify;
  made->verbs.ops.post_send = PostSend;
  made->verbs.ops.post_recv = PostReceive;
  made->verbs.async_fd = Counter();
  return made;
}

std::atomic<Context*> present{nullptr};

ibv_context* PresentContext() {
  static Context* first = present = MakeContext();
  (void)first;
  return &present.load()->verbs;
}

void RemoveDevice() {
  auto* gone = reinterpret_cast<Context*>(PresentContext());
  gone->removed = true;
  ibv_async_event event{};
  event.event_type = IBV_EVENT_DEVICE_FATAL;
  Raise(gone, event);
  present = MakeContext();
}

uint32_t NextNumber() {
  static std::atomic<uint32_t> last{0};
  return ++last;
}

int Tell(rdma_cm_id* id, rdma_cm_event_type type) {
  rdma_cm_event event{};
  event.id = id;
  event.event = type;
  auto* channel = reinterpret_cast<Channel*>(id->channel);
  channel->events.push_back(event);
  CountUp(id->channel->fd);
  return 0;
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
NETTS_EXPORT ibv_context* ibv_open_device(ibv_device*) { return PresentContext(); }
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
  if (reinterpret_cast<Context*>(region->context)->removed) return EIO;
  delete region;
  return 0;
}
NETTS_EXPORT ibv_comp_channel* ibv_create_comp_channel(ibv_context* context) {
  auto* channel = new CompletionChannel;
  channel->verbs.context = context;
  channel->verbs.fd = Counter();
  return &channel->verbs;
}
NETTS_EXPORT int ibv_destroy_comp_channel(ibv_comp_channel* channel) {
  close(channel->fd);
  delete reinterpret_cast<CompletionChannel*>(channel);
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
NETTS_EXPORT int ibv_destroy_cq(ibv_cq* verbs) {
  auto* queue = reinterpret_cast<Queue*>(verbs);
  auto& fired = reinterpret_cast<CompletionChannel*>(verbs->channel)->fired;
  const auto found = std::find(fired.begin(), fired.end(), queue);
  if (found != fired.end()) {
    fired.erase(found);
    if (!CountDown(verbs->channel->fd)) abort();
  }
  delete queue;
  return 0;
}
NETTS_EXPORT int ibv_get_cq_event(ibv_comp_channel* verbs, ibv_cq** out, void** user) {
  ++channel_reads;
  if (!CountDown(verbs->fd)) {
    ++channel_reads_in_vain;
    return -1;
  }
  auto& fired = reinterpret_cast<CompletionChannel*>(verbs)->fired;
  *out = &fired.front()->verbs;
  *user = (*out)->cq_context;
  fired.pop_front();
  return 0;
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
NETTS_EXPORT int ibv_get_async_event(ibv_context* verbs, ibv_async_event* out) {
  auto* context = reinterpret_cast<Context*>(verbs);
  std::lock_guard<std::mutex> lock(context->mutex);
  if (!CountDown(verbs->async_fd)) return -1;
  *out = context->events.front();
  context->events.pop_front();
  return 0;
}
NETTS_EXPORT void ibv_ack_async_event(ibv_async_event*) {}
NETTS_EXPORT const char* ibv_event_type_str(ibv_event_type) { return "event"; }
NETTS_EXPORT const char* ibv_wc_status_str(ibv_wc_status) { return "status"; }
NETTS_EXPORT int ibv_fork_init() {
  const char* report = std::getenv("NETTS_NOOP_REPORT");
  if (report != nullptr && std::strcmp(report, "1") == 0) {
    std::atexit([] { std::printf("%u reads, %u in vain\n", channel_reads.load(), channel_reads_in_vain.load()); });
  }
  return 0;
}

NETTS_EXPORT rdma_event_channel* rdma_create_event_channel() {
  auto* channel = new Channel;
  channel->verbs.fd = Counter();
  return &channel->verbs;
}
NETTS_EXPORT void rdma_destroy_event_channel(rdma_event_channel* channel) {
  close(channel->fd);
  delete reinterpret_cast<Channel*>(channel);
}
NETTS_EXPORT int rdma_get_cm_event(rdma_event_channel* verbs, rdma_cm_event** out) {
  auto* channel = reinterpret_cast<Channel*>(verbs);
  if (!CountDown(verbs->fd)) return -1;
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
    if (!CountDown(id->channel->fd)) abort();
  }
  delete id;
  return 0;
}
NETTS_EXPORT int rdma_bind_addr(rdma_cm_id*, sockaddr*) { return Unsupported(); }
NETTS_EXPORT int rdma_listen(rdma_cm_id*, int) { return Unsupported(); }
NETTS_EXPORT int rdma_resolve_addr(rdma_cm_id* id, sockaddr*, sockaddr* destination, int) {
  if (reinterpret_cast<sockaddr_in*>(destination)->sin_port == htons(kRemovalPort)) {
    RemoveDevice();
    return Tell(id, RDMA_CM_EVENT_ADDR_ERROR);
  }
  id->verbs = PresentContext();
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
  if (domain->context != id->verbs) {
    errno = EINVAL;
    return -1;
  }
  auto* pair = new Pair;
  pair->verbs.context = id->verbs;
  pair->verbs.pd = domain;
  pair->verbs.qp_context = attributes->qp_context;
  pair->verbs.qp_num = NextNumber();
  pair->verbs.state = IBV_QPS_INIT;
  pair->send_queue = reinterpret_cast<Queue*>(attributes->send_cq);
  id->qp = &pair->verbs;
  return 0;
}
NETTS_EXPORT void rdma_destroy_qp(rdma_cm_id* id) {
  auto* context = reinterpret_cast<Context*>(id->qp->context);
  {
    // Nobody reads an event of a queue pair that is gone.
    std::lock_guard<std::mutex> lock(context->mutex);
    auto& events = context->events;
    for (size_t index = events.size(); index-- > 0;) {
      const bool names_it = events[index].event_type == IBV_EVENT_QP_ACCESS_ERR && events[index].element.qp == id->qp;
      if (!names_it) continue;
      events.erase(events.begin() + static_cast<long>(index));
      if (!CountDown(context->verbs.async_fd)) abort();
    }
  }
  delete reinterpret_cast<Pair*>(id->qp);
  id->qp = nullptr;
}
NETTS_EXPORT int rdma_set_option(rdma_cm_id*, int, int, void*, size_t) { return 0; }
NETTS_EXPORT ibv_context** rdma_get_devices(int* count) {
  *count = 1;
  auto** list = static_cast<ibv_context**>(calloc(2, sizeof(ibv_context*)));
  list[0] = PresentContext();
  return list;
}
NETTS_EXPORT void rdma_free_devices(ibv_context** list) { free(list); }
