// libibverbs: completion channels and queues, shared receive queues, queue pairs.
#include <poll.h>

#include <algorithm>

#include "../base/counters.h"
#include "../device/completion_queue.h"
#include "../device/queue_pair.h"
#include "../device/receive_queue.h"
#include "export.h"
#include "limits.h"

using namespace loopback;

NETTS_EXPORT ibv_comp_channel* ibv_create_comp_channel(ibv_context* context) {
  Engine::Entered engine;
  if (IsRemoved(context)) return NullWithErrno<ibv_comp_channel>(EIO);
  auto* channel = new CompletionChannel(context);
  if (channel->ok()) return channel;
  const int error = errno;
  delete channel;
  return NullWithErrno<ibv_comp_channel>(error);
}

NETTS_EXPORT int ibv_destroy_comp_channel(ibv_comp_channel* verbs) {
  Engine::Entered engine;
  auto* channel = static_cast<CompletionChannel*>(verbs);
  if (channel->queues > 0) return EBUSY;
  delete channel;
  return 0;
}

NETTS_EXPORT ibv_cq* ibv_create_cq(ibv_context* context, int entries, void* user, ibv_comp_channel* channel,
                                   int vector) {
  Engine::Entered engine;
  if (IsRemoved(context)) return NullWithErrno<ibv_cq>(EIO);
  if (entries < 1 || entries > kMaxCompletions || vector < 0 || vector >= context->num_comp_vectors) {
    return NullWithErrno<ibv_cq>(EINVAL);
  }
  return new CompletionQueue(context, entries, user, static_cast<CompletionChannel*>(channel));
}

NETTS_EXPORT int ibv_destroy_cq(ibv_cq* queue) {
  Engine::Entered engine;
  bool used = false;
  engine->ForEach([&](const QueuePair& pair) { used |= pair.send_cq == queue || pair.recv_cq == queue; });
  if (used) return EBUSY;
  delete static_cast<CompletionQueue*>(queue);
  return 0;
}

NETTS_EXPORT int ibv_get_cq_event(ibv_comp_channel* verbs, ibv_cq** queue, void** user) {
  auto& channel = *static_cast<CompletionChannel*>(verbs);
  for (;;) {
    {
      Engine::Entered engine;
      engine->WokeUp();
      engine->Settle();
      if (CompletionQueue* fired = channel.Take()) {
        *queue = fired;
        *user = fired->cq_context;
        GetCounters().channel_events.fetch_add(1, std::memory_order_relaxed);
        return 0;
      }
      if (channel.armed == 0) GetCounters().channel_reads_in_vain.fetch_add(1, std::memory_order_relaxed);
    }
    if (IsNonblocking(verbs->fd)) return WithErrno(EAGAIN);
    pollfd waits{verbs->fd, POLLIN, 0};
    if (poll(&waits, 1, -1) < 0) return -1;
  }
}

NETTS_EXPORT void ibv_ack_cq_events(ibv_cq*, unsigned) {}

NETTS_EXPORT ibv_srq* ibv_create_srq(ibv_pd* domain, ibv_srq_init_attr* attributes) {
  Engine::Entered engine;
  if (IsRemoved(domain->context)) return NullWithErrno<ibv_srq>(EIO);
  ibv_srq_attr& limits = attributes->attr;
  limits.max_sge = std::max(limits.max_sge, 1u);
  if (limits.max_wr < 1 || limits.max_wr > kMaxWorkRequests || limits.max_sge > kMaxElements) {
    return NullWithErrno<ibv_srq>(EINVAL);
  }
  return new SharedReceiveQueue(domain, attributes->srq_context, limits);
}

NETTS_EXPORT int ibv_modify_srq(ibv_srq* queue, ibv_srq_attr* attributes, int mask) {
  Engine::Entered engine;
  if (IsRemoved(queue->context)) return EIO;
  if (mask != IBV_SRQ_LIMIT) return EINVAL;
  static_cast<SharedReceiveQueue*>(queue)->SetLimit(attributes->srq_limit);
  return 0;
}

NETTS_EXPORT int ibv_destroy_srq(ibv_srq* queue) {
  Engine::Entered engine;
  bool used = false;
  engine->ForEach([&](const QueuePair& pair) { used |= pair.srq == queue; });
  if (used) return EBUSY;
  delete static_cast<SharedReceiveQueue*>(queue);
  return 0;
}

// Queue pairs are made and connected by the connection manager only.
NETTS_EXPORT ibv_qp* ibv_create_qp(ibv_pd*, ibv_qp_init_attr*) { return NullWithErrno<ibv_qp>(ENOSYS); }
NETTS_EXPORT int ibv_destroy_qp(ibv_qp*) { return ENOSYS; }

NETTS_EXPORT int ibv_modify_qp(ibv_qp* verbs, ibv_qp_attr* attributes, int mask) {
  Engine::Entered engine;
  auto& pair = *static_cast<QueuePair*>(verbs);
  if (IsRemoved(verbs->context)) return EIO;
  if (mask == IBV_QP_MIN_RNR_TIMER) {
    pair.responder().SetRnrTimer(attributes->min_rnr_timer);
    return 0;
  }
  if (mask != IBV_QP_STATE || attributes->qp_state != IBV_QPS_ERR) return ENOSYS;
  // What came before is not lost by it.
  engine->Settle();
  pair.Fail();
  return 0;
}

NETTS_EXPORT int ibv_query_qp(ibv_qp* verbs, ibv_qp_attr* out, int, ibv_qp_init_attr*) {
  Engine::Entered engine;
  engine->Settle();
  *out = {};
  out->qp_state = out->cur_qp_state = verbs->state;
  // It knows its peer by an index, not by its number.
  out->port_num = 1;
  const auto& pair = *static_cast<QueuePair*>(verbs);
  if (!pair.can_send()) return 0;
  const ConnectionTerms& terms = pair.terms();
  out->path_mtu = IBV_MTU_4096;
  out->timeout = terms.ack_timeout_exponent;
  out->retry_cnt = terms.retry_count;
  out->max_rd_atomic = terms.max_reads;
  return 0;
}
