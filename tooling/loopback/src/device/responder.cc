#include "responder.h"

#include <algorithm>
#include <cstring>

#include "../base/counters.h"
#include "engine.h"
#include "memory_access.h"
#include "memory_keys.h"
#include "queue_pair.h"
#include "rnr_timer.h"

namespace loopback {

Responder::Responder(QueuePair& pair, uint32_t max_receives, uint32_t max_elements)
    : pair_(pair), receives_(max_receives, max_elements) {}

int Responder::Post(ibv_recv_wr* request, ibv_recv_wr** bad) {
  const int error = PostChain(request, bad, [this](const ibv_recv_wr& each) {
    if (!pair_.has_failed()) return receives_.Post(each);
    FlushReceive(each.wr_id);
    return 0;
  });
  if (not_ready_since_ != kNever) Engine::Get().Schedule(&pair_, 0);
  return error;
}

Ticks Responder::TakeRequests(Ticks now) {
  Ticks next = kNever;
  look_again_at_ = kNever;
  while (Packet* packet = requests_.Front()) {
    if (packet->due > now) {
      next = packet->due;
      break;
    }
    if (!ignores_) {
      // Every request is answered; a Read looks for more room by itself.
      if (!HasRoom(0)) break;
      const Outcome outcome = Take(*packet, now);
      if (outcome == Outcome::kFailed) return kNever;
      if (outcome == Outcome::kWaits) {
        next = look_again_at_;
        break;
      }
    }
    requests_.Pop(*packet);
  }
  if (requests_.Release()) Engine::Get().TellPeerSoon(&pair_, now);
  return next;
}

Responder::Outcome Responder::Take(Packet& packet, Ticks now) {
  switch (packet.kind) {
    case PacketKind::kSend:
      return TakeSend(packet, now);
    case PacketKind::kWrite:
      return TakeWrite(packet, now);
    case PacketKind::kRead:
      return TakeRead(packet, now);
    default:
      return TakeAtomic(packet, now);
  }
}

Responder::Outcome Responder::TakeSend(Packet& packet, Ticks now) {
  if (packet.is_first()) {
    if (!TakeReceive()) return WaitForReceive(packet);
    const auto count = static_cast<uint32_t>(receive_.elements.size());
    if (!MayUse(pair_, receive_.elements.data(), count, IBV_ACCESS_LOCAL_WRITE)) {
      CompleteReceive(packet, IBV_WC_RECV, IBV_WC_LOC_PROT_ERR);
      return Refuse(packet, IBV_WC_REM_OP_ERR, now);
    }
    if (packet.message_bytes > TotalBytes(receive_.elements.data(), count)) {
      CompleteReceive(packet, IBV_WC_RECV, IBV_WC_LOC_LEN_ERR);
      return Refuse(packet, IBV_WC_REM_INV_REQ_ERR, now);
    }
  }
  const auto count = static_cast<uint32_t>(receive_.elements.size());
  // The memory of a message in several packets may have been closed in the midst of it.
  if (!packet.is_first() && !MayUse(pair_, receive_.elements.data(), count, IBV_ACCESS_LOCAL_WRITE)) {
    CompleteReceive(packet, IBV_WC_RECV, IBV_WC_LOC_PROT_ERR);
    return Refuse(packet, IBV_WC_REM_OP_ERR, now);
  }
  Scatter(receive_.elements.data(), count, packet.offset, packet.payload_bytes, packet.payload());
  if (packet.is_last()) {
    if ((packet.flags & PacketFlag::kInvalidate) != 0 && !MemoryKeys::Get().Invalidate(pair_, packet.immediate)) {
      pair_.Raise(IBV_EVENT_QP_ACCESS_ERR);
      return Refuse(packet, IBV_WC_REM_ACCESS_ERR, now);
    }
    CompleteReceive(packet, IBV_WC_RECV, IBV_WC_SUCCESS);
    Acknowledge(packet, IBV_WC_SUCCESS, now);
  }
  return Outcome::kDone;
}

Responder::Outcome Responder::TakeWrite(Packet& packet, Ticks now) {
  // All of it with the first packet, so that a Write that goes too far changes nothing. What was allowed then may be
  // closed by now.
  const uint64_t byte_length = packet.is_first() ? packet.message_bytes : packet.offset + packet.payload_bytes;
  if (!Allows(packet, byte_length, IBV_ACCESS_REMOTE_WRITE)) {
    pair_.Raise(IBV_EVENT_QP_ACCESS_ERR);
    return Refuse(packet, IBV_WC_REM_ACCESS_ERR, now);
  }
  const bool has_immediate = (packet.flags & PacketFlag::kImmediate) != 0;
  if (packet.is_last() && has_immediate && !TakeReceive()) return WaitForReceive(packet);
  if (packet.payload_bytes > 0) {
    std::memcpy(At(packet.remote_address) + packet.offset, packet.payload(), packet.payload_bytes);
  }
  if (packet.is_last()) {
    if (has_immediate) CompleteReceive(packet, IBV_WC_RECV_RDMA_WITH_IMM, IBV_WC_SUCCESS);
    Acknowledge(packet, IBV_WC_SUCCESS, now);
  }
  return Outcome::kDone;
}

Responder::Outcome Responder::TakeRead(Packet& packet, Ticks now) {
  if (!Allows(packet, packet.message_bytes, IBV_ACCESS_REMOTE_READ)) {
    pair_.Raise(IBV_EVENT_QP_ACCESS_ERR);
    return Refuse(packet, IBV_WC_REM_ACCESS_ERR, now);
  }
  do {
    const uint32_t payload_bytes = std::min(packet.message_bytes - read_bytes_, kMaxPayloadBytes);
    if (!HasRoom(payload_bytes)) return Outcome::kWaits;
    const bool is_last = read_bytes_ + payload_bytes == packet.message_bytes;
    SendData(packet, At(packet.remote_address) + read_bytes_, read_bytes_, payload_bytes, is_last, now);
    read_bytes_ += payload_bytes;
  } while (read_bytes_ < packet.message_bytes);
  read_bytes_ = 0;
  return Outcome::kDone;
}

// Nobody else changes the number meanwhile: all requests to this process are done under one lock.
Responder::Outcome Responder::TakeAtomic(Packet& packet, Ticks now) {
  if (packet.remote_address % 8 != 0) {
    pair_.Raise(IBV_EVENT_QP_REQ_ERR);
    return Refuse(packet, IBV_WC_REM_INV_REQ_ERR, now);
  }
  if (!Allows(packet, 8, IBV_ACCESS_REMOTE_ATOMIC)) {
    pair_.Raise(IBV_EVENT_QP_ACCESS_ERR);
    return Refuse(packet, IBV_WC_REM_ACCESS_ERR, now);
  }
  if (!HasRoom(8)) return Outcome::kWaits;
  auto* number = reinterpret_cast<uint64_t*>(packet.remote_address);
  const uint64_t before = *number;
  if (packet.kind == PacketKind::kFetchAndAdd) {
    *number = before + packet.compare_or_add;
  } else if (before == packet.compare_or_add) {
    *number = packet.swap;
  }
  SendData(packet, reinterpret_cast<const uint8_t*>(&before), 0, sizeof(before), true, now);
  return Outcome::kDone;
}

bool Responder::TakeReceive() {
  if (has_receive_) return true;
  has_receive_ = pair_.srq == nullptr ? receives_.Take(&receive_) : pair_.shared_receives()->Take(&receive_);
  if (has_receive_) not_ready_since_ = kNever;
  return has_receive_;
}

Responder::Outcome Responder::WaitForReceive(const Packet& packet) {
  const Ticks now = Now();
  if (not_ready_since_ == kNever) {
    GetCounters().receiver_not_ready.fetch_add(1, std::memory_order_relaxed);
    not_ready_since_ = now;
    if (pair_.srq != nullptr) pair_.shared_receives()->AddWaiter(&pair_);
  }
  const uint8_t retries = pair_.terms().peer_rnr_retry_count;
  if (retries == kRnrRetryForEver) return Outcome::kWaits;
  look_again_at_ = not_ready_since_ + RnrTimer(rnr_timer_code_) * retries;
  if (now < look_again_at_) return Outcome::kWaits;
  Acknowledge(packet, IBV_WC_RNR_RETRY_EXC_ERR, now);
  ignores_ = true;
  return Outcome::kDone;
}

bool Responder::HasRoom(uint32_t payload_bytes) {
  if (responses_.HasRoom(payload_bytes)) return true;
  // It may be full of answers that the peer was not told of.
  Engine::Get().TellPeerSoon(&pair_, 0);
  return false;
}

bool Responder::Allows(const Packet& packet, uint64_t byte_length, int access) const {
  return byte_length == 0 ||
         MemoryKeys::Get().Allows(pair_, packet.remote_key, packet.remote_address, byte_length, access);
}

void Responder::CompleteReceive(const Packet& packet, ibv_wc_opcode opcode, ibv_wc_status status) {
  has_receive_ = false;
  ibv_wc completion{};
  completion.wr_id = receive_.id;
  completion.status = status;
  completion.opcode = opcode;
  completion.byte_len = packet.message_bytes;
  completion.qp_num = pair_.qp_num;
  if ((packet.flags & PacketFlag::kImmediate) != 0) {
    completion.wc_flags = IBV_WC_WITH_IMM;
    completion.imm_data = packet.immediate;
  } else if ((packet.flags & PacketFlag::kInvalidate) != 0) {
    completion.wc_flags = IBV_WC_WITH_INV;
    completion.invalidated_rkey = packet.immediate;
  }
  pair_.receive_queue().Push(completion, (packet.flags & PacketFlag::kSolicited) != 0);
}

void Responder::Acknowledge(const Packet& request, ibv_wc_status status, Ticks now) {
  Packet& packet = *responses_.Next(0);
  packet.due = Engine::Get().Arrival(sizeof(Packet), std::min(request.due, now));
  packet.sequence = request.sequence;
  packet.payload_bytes = 0;
  packet.kind = PacketKind::kAcknowledge;
  packet.status = static_cast<uint8_t>(status);
  responses_.Commit(0);
  // The sender asks only for the answers of signalled requests. The others it finds when it looks.
  if (status == IBV_WC_SUCCESS && (request.flags & PacketFlag::kTell) == 0) return;
  Engine::Get().TellPeerSoon(&pair_, packet.due);
}

void Responder::SendData(const Packet& request, const uint8_t* bytes, uint32_t offset, uint32_t byte_length,
                         bool is_last, Ticks now) {
  Packet& packet = *responses_.Next(byte_length);
  packet.due = Engine::Get().Arrival(PacketBytes(byte_length), std::min(request.due, now));
  packet.sequence = request.sequence;
  packet.payload_bytes = byte_length;
  packet.offset = offset;
  packet.kind = PacketKind::kData;
  packet.flags = is_last ? PacketFlag::kLast : 0;
  if (byte_length > 0) std::memcpy(packet.payload(), bytes, byte_length);
  responses_.Commit(byte_length);
  Engine::Get().TellPeerSoon(&pair_, packet.due);
}

Responder::Outcome Responder::Refuse(const Packet& request, ibv_wc_status status, Ticks now) {
  Acknowledge(request, status, now);
  pair_.Fail();
  return Outcome::kFailed;
}

void Responder::FlushReceive(uint64_t id) {
  ibv_wc completion{};
  completion.wr_id = id;
  completion.status = IBV_WC_WR_FLUSH_ERR;
  completion.opcode = IBV_WC_RECV;
  completion.qp_num = pair_.qp_num;
  pair_.receive_queue().Push(completion, false);
}

void Responder::Flush() {
  if (has_receive_) FlushReceive(receive_.id);
  has_receive_ = false;
  Receive flushed;
  while (receives_.Take(&flushed)) FlushReceive(flushed.id);
}

}  // namespace loopback
