// The receiving half of a queue pair: receives, and the requests of the peer.
#pragma once

#include <infiniband/verbs.h>

#include "../wire/ring.h"
#include "receive_queue.h"

namespace loopback {

class QueuePair;

class Responder {
 public:
  Responder(QueuePair& pair, uint32_t max_receives, uint32_t max_elements);
  void Attach(RingReader requests, RingWriter responses) {
    requests_ = requests;
    responses_ = responses;
  }

  int Post(ibv_recv_wr* request, ibv_recv_wr** bad);
  // A code of IBV_QP_MIN_RNR_TIMER.
  void SetRnrTimer(uint8_t code) { rnr_timer_code_ = code; }
  // Does what the peer asks for. Returns when there is more.
  Ticks TakeRequests(Ticks now);
  // Completes all receives as flushed.
  void Flush();

 private:
  enum class Outcome { kDone, kWaits, kFailed };

  Outcome Take(Packet& packet, Ticks now);
  Outcome TakeSend(Packet& packet, Ticks now);
  Outcome TakeWrite(Packet& packet, Ticks now);
  Outcome TakeRead(Packet& packet, Ticks now);
  Outcome TakeAtomic(Packet& packet, Ticks now);
  // Whether there is a receive for the message now. Otherwise, what becomes of the message.
  bool TakeReceive();
  Outcome WaitForReceive(const Packet& packet);
  bool HasRoom(uint32_t payload_bytes);
  bool Allows(const Packet& packet, uint64_t byte_length, int access) const;

  void CompleteReceive(const Packet& packet, ibv_wc_opcode opcode, ibv_wc_status status);
  void FlushReceive(uint64_t id);
  void Acknowledge(const Packet& request, ibv_wc_status status, Ticks now);
  void SendData(const Packet& request, const uint8_t* bytes, uint32_t offset, uint32_t byte_length, bool is_last,
                Ticks now);
  // Answers with the error, and fails.
  Outcome Refuse(const Packet& request, ibv_wc_status status, Ticks now);

  QueuePair& pair_;
  ReceiveQueue receives_;
  RingReader requests_;
  RingWriter responses_;
  uint8_t rnr_timer_code_ = 0;
  // The receive of the message that comes in.
  Receive receive_;
  bool has_receive_ = false;
  // When the first try of a message failed for want of a receive.
  Ticks not_ready_since_ = kNever;
  // The peer was told that it tried too often: what it sent behind that has no place any more.
  bool ignores_ = false;
  // Of the Read at the front: so many bytes were sent.
  uint32_t read_bytes_ = 0;
  // When to look again, where not at the next request.
  Ticks look_again_at_ = kNever;
};

}  // namespace loopback
