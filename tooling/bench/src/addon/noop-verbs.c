/*
 * A device that does nothing, as both libibverbs and librdmacm: every work request is complete as soon as it is
 * posted, and polling gives back as many completions as were posted. What is measured over it is the cost of the
 * addon alone. Loaded by NETTS_IBVERBS_LIB and NETTS_RDMACM_LIB.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DEPTH 65536

/* verbs.h has macros of these names, which only the callers need. */
#undef ibv_query_port
#undef ibv_reg_mr

static struct ibv_device device = {
    .node_type = IBV_NODE_CA, .transport_type = IBV_TRANSPORT_IB, .name = "noop0", .dev_name = "uverbs0"};
static struct ibv_context context = {.device = &device, .async_fd = -1, .cmd_fd = -1};
/* One queue is all that the measurement makes. */
static unsigned pending;

static int post_send(struct ibv_qp *pair, struct ibv_send_wr *request, struct ibv_send_wr **bad) {
  (void)pair, (void)bad;
  for (; request != NULL; request = request->next) ++pending;
  return 0;
}

static int post_recv(struct ibv_qp *pair, struct ibv_recv_wr *request, struct ibv_recv_wr **bad) {
  (void)pair, (void)bad;
  for (; request != NULL; request = request->next) ++pending;
  return 0;
}

static int poll_cq(struct ibv_cq *queue, int most, struct ibv_wc *out) {
  (void)queue;
  int count = pending < (unsigned)most ? (int)pending : most;
  pending -= (unsigned)count;
  for (int index = 0; index < count; ++index) {
    out[index].wr_id = (uint64_t)index;
    out[index].status = IBV_WC_SUCCESS;
    out[index].opcode = IBV_WC_SEND;
    out[index].qp_num = 1;
    out[index].wc_flags = 0;
  }
  return count;
}

static int req_notify_cq(struct ibv_cq *queue, int solicited_only) {
  (void)queue, (void)solicited_only;
  return 0;
}

static struct ibv_context *opened(void) {
  if (context.async_fd < 0) {
    context.async_fd = eventfd(0, EFD_NONBLOCK);
    context.num_comp_vectors = 1;
    context.ops.post_send = post_send;
    context.ops.post_recv = post_recv;
    context.ops.poll_cq = poll_cq;
    context.ops.req_notify_cq = req_notify_cq;
  }
  return &context;
}

int ibv_fork_init(void) { return 0; }

struct ibv_device **ibv_get_device_list(int *count) {
  struct ibv_device **list = calloc(2, sizeof(*list));
  if (list != NULL) list[0] = &device;
  if (count != NULL) *count = 1;
  return list;
}

void ibv_free_device_list(struct ibv_device **list) { free(list); }
const char *ibv_get_device_name(struct ibv_device *of) { return of->name; }
__be64 ibv_get_device_guid(struct ibv_device *of) { return (void)of, 1; }
struct ibv_context *ibv_open_device(struct ibv_device *of) { return (void)of, opened(); }
int ibv_close_device(struct ibv_context *of) { return (void)of, 0; }

int ibv_query_device(struct ibv_context *of, struct ibv_device_attr *out) {
  (void)of;
  *out = (struct ibv_device_attr){.max_mr_size = UINT64_MAX, .max_qp = DEPTH, .max_qp_wr = DEPTH, .max_sge = 16,
                                  .max_cq = DEPTH, .max_cqe = DEPTH, .max_mr = DEPTH, .max_pd = DEPTH,
                                  .max_qp_rd_atom = 1, .max_qp_init_rd_atom = 1, .phys_port_cnt = 1};
  return 0;
}

int ibv_query_port(struct ibv_context *of, uint8_t port, struct _compat_ibv_port_attr *out) {
  (void)of, (void)port;
  struct ibv_port_attr *attributes = (struct ibv_port_attr *)out;
  attributes->state = IBV_PORT_ACTIVE;
  attributes->active_mtu = IBV_MTU_4096;
  attributes->max_msg_sz = 1u << 30;
  attributes->link_layer = IBV_LINK_LAYER_ETHERNET;
  return 0;
}

int ibv_query_gid(struct ibv_context *of, uint8_t port, int index, union ibv_gid *out) {
  (void)of, (void)port, (void)index;
  *out = (union ibv_gid){0};
  return 0;
}

struct ibv_pd *ibv_alloc_pd(struct ibv_context *of) {
  struct ibv_pd *domain = calloc(1, sizeof(*domain));
  if (domain != NULL) domain->context = of;
  return domain;
}

int ibv_dealloc_pd(struct ibv_pd *domain) { return free(domain), 0; }

struct ibv_mr *ibv_reg_mr(struct ibv_pd *domain, void *address, size_t length, int access) {
  (void)access;
  struct ibv_mr *region = calloc(1, sizeof(*region));
  if (region == NULL) return NULL;
  *region = (struct ibv_mr){
      .context = domain->context, .pd = domain, .addr = address, .length = length, .lkey = 1, .rkey = 1};
  return region;
}

int ibv_dereg_mr(struct ibv_mr *region) { return free(region), 0; }

struct ibv_comp_channel *ibv_create_comp_channel(struct ibv_context *of) {
  struct ibv_comp_channel *channel = calloc(1, sizeof(*channel));
  if (channel == NULL) return NULL;
  channel->context = of;
  channel->fd = eventfd(0, EFD_NONBLOCK);
  return channel;
}

int ibv_destroy_comp_channel(struct ibv_comp_channel *channel) {
  close(channel->fd);
  free(channel);
  return 0;
}

struct ibv_cq *ibv_create_cq(struct ibv_context *of, int cqe, void *cq_context, struct ibv_comp_channel *channel,
                             int vector) {
  (void)vector;
  struct ibv_cq *queue = calloc(1, sizeof(*queue));
  if (queue == NULL) return NULL;
  queue->context = of;
  queue->channel = channel;
  queue->cq_context = cq_context;
  queue->cqe = cqe;
  return queue;
}

int ibv_destroy_cq(struct ibv_cq *queue) { return free(queue), 0; }

int ibv_get_cq_event(struct ibv_comp_channel *channel, struct ibv_cq **queue, void **cq_context) {
  (void)channel, (void)queue, (void)cq_context;
  errno = EAGAIN;
  return -1;
}

void ibv_ack_cq_events(struct ibv_cq *queue, unsigned count) { (void)queue, (void)count; }
struct ibv_srq *ibv_create_srq(struct ibv_pd *domain, struct ibv_srq_init_attr *attributes) {
  (void)domain, (void)attributes;
  errno = ENOSYS;
  return NULL;
}
int ibv_modify_srq(struct ibv_srq *queue, struct ibv_srq_attr *attributes, int mask) {
  return (void)queue, (void)attributes, (void)mask, ENOSYS;
}
int ibv_destroy_srq(struct ibv_srq *queue) { return (void)queue, ENOSYS; }
struct ibv_qp *ibv_create_qp(struct ibv_pd *domain, struct ibv_qp_init_attr *attributes) {
  (void)domain, (void)attributes;
  errno = ENOSYS;
  return NULL;
}
int ibv_modify_qp(struct ibv_qp *pair, struct ibv_qp_attr *attributes, int mask) {
  return (void)pair, (void)attributes, (void)mask, 0;
}
int ibv_query_qp(struct ibv_qp *pair, struct ibv_qp_attr *out, int mask, struct ibv_qp_init_attr *initial) {
  (void)pair, (void)mask, (void)initial;
  out->qp_state = IBV_QPS_RTS;
  return 0;
}
int ibv_destroy_qp(struct ibv_qp *pair) { return free(pair), 0; }
int ibv_get_async_event(struct ibv_context *of, struct ibv_async_event *event) {
  (void)of, (void)event;
  errno = EAGAIN;
  return -1;
}
void ibv_ack_async_event(struct ibv_async_event *event) { (void)event; }
const char *ibv_event_type_str(enum ibv_event_type event) { return (void)event, "noop"; }
const char *ibv_wc_status_str(enum ibv_wc_status status) { return (void)status, "noop"; }

/* The connection manager: every step succeeds, by an event. */

struct queued_event {
  struct rdma_cm_event event;
  struct queued_event *next;
};
static struct queued_event *first_event;
static struct queued_event **last_event = &first_event;

static int announce(struct rdma_cm_id *id, enum rdma_cm_event_type type) {
  struct queued_event *queued = calloc(1, sizeof(*queued));
  if (queued == NULL) return -1;
  queued->event.id = id;
  queued->event.event = type;
  *last_event = queued;
  last_event = &queued->next;
  const uint64_t one = 1;
  return write(id->channel->fd, &one, sizeof(one)) == sizeof(one) ? 0 : -1;
}

struct rdma_event_channel *rdma_create_event_channel(void) {
  struct rdma_event_channel *channel = calloc(1, sizeof(*channel));
  if (channel != NULL) channel->fd = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
  return channel;
}

void rdma_destroy_event_channel(struct rdma_event_channel *channel) {
  close(channel->fd);
  free(channel);
}

int rdma_get_cm_event(struct rdma_event_channel *channel, struct rdma_cm_event **event) {
  uint64_t one;
  if (read(channel->fd, &one, sizeof(one)) != sizeof(one)) return -1;
  struct queued_event *queued = first_event;
  first_event = queued->next;
  if (first_event == NULL) last_event = &first_event;
  *event = &queued->event;
  return 0;
}

int rdma_ack_cm_event(struct rdma_cm_event *event) { return free(event), 0; }
const char *rdma_event_str(enum rdma_cm_event_type event) { return (void)event, "noop"; }

int rdma_create_id(struct rdma_event_channel *channel, struct rdma_cm_id **id, void *id_context,
                   enum rdma_port_space space) {
  *id = calloc(1, sizeof(**id));
  if (*id == NULL) return -1;
  (*id)->channel = channel;
  (*id)->context = id_context;
  (*id)->ps = space;
  return 0;
}

int rdma_destroy_id(struct rdma_cm_id *id) { return free(id), 0; }
int rdma_bind_addr(struct rdma_cm_id *id, struct sockaddr *address) { return (void)id, (void)address, 0; }
int rdma_listen(struct rdma_cm_id *id, int backlog) { return (void)id, (void)backlog, 0; }

int rdma_resolve_addr(struct rdma_cm_id *id, struct sockaddr *source, struct sockaddr *destination, int timeout_ms) {
  (void)source, (void)destination, (void)timeout_ms;
  id->verbs = opened();
  id->port_num = 1;
  id->route.addr.src_sin.sin_family = id->route.addr.dst_sin.sin_family = AF_INET;
  id->route.addr.src_sin.sin_addr.s_addr = id->route.addr.dst_sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return announce(id, RDMA_CM_EVENT_ADDR_RESOLVED);
}

int rdma_resolve_route(struct rdma_cm_id *id, int timeout_ms) {
  (void)timeout_ms;
  return announce(id, RDMA_CM_EVENT_ROUTE_RESOLVED);
}

int rdma_connect(struct rdma_cm_id *id, struct rdma_conn_param *parameters) {
  (void)parameters;
  return announce(id, RDMA_CM_EVENT_ESTABLISHED);
}

int rdma_accept(struct rdma_cm_id *id, struct rdma_conn_param *parameters) { return (void)id, (void)parameters, 0; }
int rdma_reject(struct rdma_cm_id *id, const void *data, uint8_t length) {
  return (void)id, (void)data, (void)length, 0;
}
int rdma_disconnect(struct rdma_cm_id *id) { return (void)id, 0; }
int rdma_notify(struct rdma_cm_id *id, enum ibv_event_type event) { return (void)id, (void)event, 0; }

int rdma_create_qp(struct rdma_cm_id *id, struct ibv_pd *domain, struct ibv_qp_init_attr *attributes) {
  struct ibv_qp *pair = calloc(1, sizeof(*pair));
  if (pair == NULL) return -1;
  pair->context = id->verbs;
  pair->qp_context = attributes->qp_context;
  pair->pd = domain;
  pair->send_cq = attributes->send_cq;
  pair->recv_cq = attributes->recv_cq;
  pair->qp_num = 1;
  pair->qp_type = attributes->qp_type;
  pair->state = IBV_QPS_RTS;
  id->qp = pair;
  return 0;
}

void rdma_destroy_qp(struct rdma_cm_id *id) {
  free(id->qp);
  id->qp = NULL;
}

int rdma_set_option(struct rdma_cm_id *id, int level, int name, void *value, size_t length) {
  return (void)id, (void)level, (void)name, (void)value, (void)length, 0;
}

struct ibv_context **rdma_get_devices(int *count) {
  struct ibv_context **list = calloc(2, sizeof(*list));
  if (list != NULL) list[0] = opened();
  if (count != NULL) *count = 1;
  return list;
}

void rdma_free_devices(struct ibv_context **list) { free(list); }
