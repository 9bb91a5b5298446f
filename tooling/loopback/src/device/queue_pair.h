// A queue pair: what it sends is its requester's business, what comes is its responder's.
#pragma once

#include <infiniband/verbs.h>

#include <memory>

#include "../base/clock.h"
#include "../base/shared_object.h"
#include "../wire/host.h"
#include "../wire/wire.h"
#include "completion_queue.h"
#include "requester.h"
#include "responder.h"

namespace loopback {

// What the connection manager agreed on for this end.
struct ConnectionTerms {
  // How many Reads and atomics it may have under way.
  uint8_t max_reads;
  // How long a silent peer is waited for: 4.096 µs × 2^exponent, this often.
  uint8_t ack_timeout_exponent;
  uint8_t retry_count;
  // How often the peer tries again where no receive waits for its message. 7 is for ever.
  uint8_t peer_rnr_retry_count;
};

class QueuePair : public ibv_qp {
 public:
  QueuePair(ibv_pd* of, const ibv_qp_init_attr& attributes);
  ~QueuePair();

  // False where there are too many.
  bool ok() const { return index_ < kMaxQueuePairs; }
  // By which peers name it.
  uint32_t index() const { return index_; }
  CompletionQueue& send_queue() { return *static_cast<CompletionQueue*>(send_cq); }
  CompletionQueue& receive_queue() { return *static_cast<CompletionQueue*>(recv_cq); }
  SharedReceiveQueue* shared_receives() { return static_cast<SharedReceiveQueue*>(srq); }
  Requester& requester() { return requester_; }
  Responder& responder() { return responder_; }
  bool can_send() const { return state == IBV_QPS_RTS; }
  bool has_failed() const { return state == IBV_QPS_ERR; }
  const ConnectionTerms& terms() const { return terms_; }

  // From now on it is connected to that queue pair of that process; it has the given lane of the wire.
  void Attach(SharedObject<Wire> wire, int lane, std::shared_ptr<Host> peer, uint32_t peer_index,
              const ConnectionTerms& terms);
  // The other end answers nothing any more.
  bool peer_is_deaf() const;
  // The other end's process is gone: what its lane says is for this end to say.
  void DeclarePeerDeaf();

  // Does what is due by then.
  void Examine(Ticks now);
  // Takes what the peer sent, due or not: it sent all of it before what this is called for.
  void TakeEverything();
  void TellPeer(Ticks due);
  // To the error state, if it is not in it: what is outstanding is flushed.
  void Fail();
  void Raise(ibv_event_type type);

  // Of the engine: when its next appointment is, and since when its peer should have been told.
  Ticks scheduled_at = kNever;
  Ticks tell_peer_due = kNever;

 private:
  uint32_t index_;
  Requester requester_;
  Responder responder_;
  SharedObject<Wire> wire_;
  int lane_ = 0;
  std::shared_ptr<Host> peer_;
  uint32_t peer_index_ = 0;
  ConnectionTerms terms_{};
};

}  // namespace loopback
