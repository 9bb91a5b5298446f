#include "queue_pair.h"

#include <algorithm>

#include "context.h"
#include "engine.h"
#include "memory_keys.h"
#include "receive_queue.h"

namespace loopback {
namespace {

uint32_t NextNumber() {
  static uint32_t last = 0;
  // 24 bits, as on any fabric; 0 and 1 are the management's.
  last = last == 0xff'ffff ? 2 : std::max(last + 1, 2u);
  return last;
}

}  // namespace

QueuePair::QueuePair(ibv_pd* of, const ibv_qp_init_attr& attributes)
    : ibv_qp{},
      index_(Engine::Get().Add(this)),
      requester_(*this, attributes.cap),
      responder_(*this, attributes.srq == nullptr ? attributes.cap.max_recv_wr : 0, attributes.cap.max_recv_sge) {
  context = of->context;
  qp_context = attributes.qp_context;
  pd = of;
  send_cq = attributes.send_cq;
  recv_cq = attributes.recv_cq;
  srq = attributes.srq;
  qp_num = NextNumber();
  state = IBV_QPS_INIT;
  qp_type = IBV_QPT_RC;
}

QueuePair::~QueuePair() {
  if (!ok()) return;
  if (wire_) {
    wire_->lanes[lane_].is_deaf.store(1, std::memory_order_seq_cst);
    TellPeer(Now());
  }
  if (srq != nullptr) shared_receives()->Forget(this);
  MemoryKeys::Get().UnbindAll(*this);
  ContextOf(context).Forget(this);
  Engine::Get().Remove(this, index_);
}

void QueuePair::Attach(SharedObject<Wire> wire, int lane, std::shared_ptr<Host> peer, uint32_t peer_index,
                       const ConnectionTerms& terms) {
  wire_ = std::move(wire);
  lane_ = lane;
  peer_ = std::move(peer);
  peer_index_ = peer_index;
  terms_ = terms;
  Lane& out = wire_->lanes[lane];
  Lane& in = wire_->lanes[1 - lane];
  requester_.Attach(RingWriter(&out.requests), RingReader(&in.responses));
  responder_.Attach(RingReader(&in.requests), RingWriter(&out.responses));
  if (has_failed()) {
    out.is_deaf.store(1, std::memory_order_seq_cst);
    return;
  }
  state = IBV_QPS_RTS;
  // What the peer sent before had nobody to look at it.
  Engine::Get().Schedule(this, 0);
}

bool QueuePair::peer_is_deaf() const {
  return wire_->lanes[1 - lane_].is_deaf.load(std::memory_order_acquire) != 0;
}

void QueuePair::DeclarePeerDeaf() {
  if (!wire_) return;
  wire_->lanes[1 - lane_].is_deaf.store(1, std::memory_order_seq_cst);
  Engine::Get().Schedule(this, 0);
}

void QueuePair::Examine(Ticks now) {
  if (!can_send()) return;
  // Answers first: they make room for what waits to be sent.
  Ticks next = requester_.TakeResponses(now);
  if (can_send()) next = std::min(next, responder_.TakeRequests(now));
  if (can_send()) requester_.Transmit(now);
  if (can_send()) next = std::min(next, requester_.GiveUpOnDeafPeer(now));
  if (can_send() && next != kNever) Engine::Get().Schedule(this, next);
}

void QueuePair::TakeEverything() {
  if (can_send()) requester_.TakeResponses(kNever - 1);
  if (can_send()) responder_.TakeRequests(kNever - 1);
  Examine(Now());
}

void QueuePair::TellPeer(Ticks due) {
  tell_peer_due = kNever;
  peer_->Notify(peer_index_, due);
}

void QueuePair::Fail() {
  if (has_failed()) return;
  state = IBV_QPS_ERR;
  if (wire_) {
    wire_->lanes[lane_].is_deaf.store(1, std::memory_order_seq_cst);
    Engine::Get().TellPeerSoon(this, 0);
  }
  requester_.Flush();
  responder_.Flush();
  if (srq != nullptr) Raise(IBV_EVENT_QP_LAST_WQE_REACHED);
}

void QueuePair::Raise(ibv_event_type type) {
  ibv_async_event event{};
  event.event_type = type;
  event.element.qp = this;
  ContextOf(context).Raise(event);
}

}  // namespace loopback
