#include "requester.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "../base/settings.h"
#include "engine.h"
#include "memory_access.h"
#include "memory_keys.h"
#include "queue_pair.h"

namespace loopback {
namespace {

ibv_wc_opcode CompletionOpcode(ibv_wr_opcode opcode) {
  switch (opcode) {
    case IBV_WR_RDMA_WRITE:
    case IBV_WR_RDMA_WRITE_WITH_IMM:
      return IBV_WC_RDMA_WRITE;
    case IBV_WR_RDMA_READ:
      return IBV_WC_RDMA_READ;
    case IBV_WR_ATOMIC_CMP_AND_SWP:
      return IBV_WC_COMP_SWAP;
    case IBV_WR_ATOMIC_FETCH_AND_ADD:
      return IBV_WC_FETCH_ADD;
    case IBV_WR_BIND_MW:
      return IBV_WC_BIND_MW;
    case IBV_WR_LOCAL_INV:
      return IBV_WC_LOCAL_INV;
    default:
      return IBV_WC_SEND;
  }
}

PacketKind KindOf(ibv_wr_opcode opcode) {
  switch (opcode) {
    case IBV_WR_RDMA_WRITE:
    case IBV_WR_RDMA_WRITE_WITH_IMM:
      return PacketKind::kWrite;
    case IBV_WR_RDMA_READ:
      return PacketKind::kRead;
    case IBV_WR_ATOMIC_CMP_AND_SWP:
      return PacketKind::kCompareAndSwap;
    case IBV_WR_ATOMIC_FETCH_AND_ADD:
      return PacketKind::kFetchAndAdd;
    default:
      return PacketKind::kSend;
  }
}

bool HasImmediate(ibv_wr_opcode opcode) {
  return opcode == IBV_WR_SEND_WITH_IMM || opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
}

}  // namespace

Requester::Requester(QueuePair& pair, const ibv_qp_cap& limits)
    : pair_(pair),
      max_elements_(std::max(limits.max_send_sge, 1u)),
      max_inline_bytes_(limits.max_inline_data),
      works_(std::max(limits.max_send_wr, 1u)),
      elements_(works_.size() * max_elements_),
      inline_bytes_(works_.size() * max_inline_bytes_) {}

int Requester::Post(const ibv_send_wr& request) {
  if (pair_.has_failed()) {
    Work flushed{};
    flushed.id = request.wr_id;
    Complete(flushed, IBV_WC_WR_FLUSH_ERR);
    return 0;
  }
  if (!pair_.can_send() || request.opcode > IBV_WR_SEND_WITH_INV) return EINVAL;
  if (request.num_sge < 0 || static_cast<uint32_t>(request.num_sge) > max_elements_) return EINVAL;
  // Answers that nobody was told of may have made room.
  if (posted_ - completed_ == works_.size()) TakeResponses(Now());
  if (posted_ - completed_ == works_.size()) return ENOMEM;
  const auto count = static_cast<uint32_t>(request.num_sge);
  const uint64_t total = TotalBytes(request.sg_list, count);
  if (total > UINT32_MAX) return EINVAL;
  Work& work = WorkAt(posted_);
  work.id = request.wr_id;
  work.opcode = request.opcode;
  work.flags = request.send_flags;
  work.immediate = request.imm_data;
  work.byte_length = static_cast<uint32_t>(total);
  work.element_count = count;
  if (request.opcode == IBV_WR_BIND_MW) {
    work.window_key = request.bind_mw.mw->rkey;
    work.remote_key = request.bind_mw.rkey;
    work.binding = request.bind_mw.bind_info;
  } else if (request.opcode == IBV_WR_LOCAL_INV) {
    work.remote_key = request.invalidate_rkey;
  } else if (work.is_read() && request.opcode != IBV_WR_RDMA_READ) {
    work.remote_address = request.wr.atomic.remote_addr;
    work.remote_key = request.wr.atomic.rkey;
    work.compare_or_add = request.wr.atomic.compare_add;
    work.swap = request.wr.atomic.swap;
  } else {
    work.remote_address = request.wr.rdma.remote_addr;
    work.remote_key = request.wr.rdma.rkey;
  }
  ibv_sge* elements = ElementsOf(posted_);
  if (work.is_inline()) {
    if (total > max_inline_bytes_) return EINVAL;
    uint8_t* copy = inline_bytes_.data() + posted_ % works_.size() * max_inline_bytes_;
    Gather(request.sg_list, count, 0, work.byte_length, copy);
    elements[0] = {reinterpret_cast<uint64_t>(copy), work.byte_length, 0};
    work.element_count = 1;
  } else {
    std::copy_n(request.sg_list, count, elements);
  }
  ++posted_;
  return 0;
}

void Requester::Transmit(Ticks now) {
  bool told = false;
  while (sent_ != posted_ && refusal_ == IBV_WC_SUCCESS) {
    const Work& work = WorkAt(sent_);
    if (!is_started_) {
      if (!MayStart(work)) break;
      refusal_ = Start(sent_);
      if (refusal_ != IBV_WC_SUCCESS) break;
      is_started_ = true;
      sent_bytes_ = 0;
    }
    if (!work.is_local()) {
      const bool whole = SendPackets(sent_, now);
      told = true;
      if (!whole) break;
      if (work.is_read()) ++reads_under_way_;
    }
    is_started_ = false;
    ++sent_;
    if (work.is_local() && completed_ + 1 == sent_) CompleteBefore(sent_);
  }
  if (told) pair_.TellPeer(now + GetSettings().latency);
  if (refusal_ != IBV_WC_SUCCESS && completed_ == sent_) FailAtFirst(refusal_);
}

// A fence waits for all Reads before it, and a Read for a free resource of the peer's.
bool Requester::MayStart(const Work& work) const {
  if ((work.flags & IBV_SEND_FENCE) != 0 && reads_under_way_ > 0) return false;
  return !work.is_read() || pair_.terms().max_reads == 0 || reads_under_way_ < pair_.terms().max_reads;
}

ibv_wc_status Requester::Start(uint64_t sequence) {
  const Work& work = WorkAt(sequence);
  MemoryKeys& keys = MemoryKeys::Get();
  if (work.opcode == IBV_WR_BIND_MW) {
    return keys.BindWindow(pair_, work.window_key, work.binding, work.remote_key) ? IBV_WC_SUCCESS
                                                                                : IBV_WC_MW_BIND_ERR;
  }
  if (work.opcode == IBV_WR_LOCAL_INV) {
    return keys.Invalidate(pair_, work.remote_key) ? IBV_WC_SUCCESS : IBV_WC_LOC_QP_OP_ERR;
  }
  if (work.is_read() && pair_.terms().max_reads == 0) return IBV_WC_LOC_QP_OP_ERR;
  if (work.is_inline()) return IBV_WC_SUCCESS;
  const int access = work.is_read() ? IBV_ACCESS_LOCAL_WRITE : 0;
  return MayUse(pair_, ElementsOf(sequence), work.element_count, access) ? IBV_WC_SUCCESS : IBV_WC_LOC_PROT_ERR;
}

// False: there is no room for the rest yet.
bool Requester::SendPackets(uint64_t sequence, Ticks now) {
  const Work& work = WorkAt(sequence);
  const uint32_t carried = work.is_read() ? 0 : work.byte_length;
  do {
    const uint32_t payload_bytes = std::min(carried - sent_bytes_, kMaxPayloadBytes);
    if (!requests_.HasRoom(payload_bytes)) return false;
    Packet& packet = *requests_.Next(payload_bytes);
    const bool is_last = sent_bytes_ + payload_bytes == carried;
    packet.due = Engine::Get().Arrival(PacketBytes(payload_bytes), now);
    packet.sequence = sequence;
    packet.remote_address = work.remote_address;
    packet.remote_key = work.remote_key;
    packet.compare_or_add = work.compare_or_add;
    packet.swap = work.swap;
    packet.immediate = work.immediate;
    packet.payload_bytes = payload_bytes;
    packet.message_bytes = work.byte_length;
    packet.offset = sent_bytes_;
    packet.kind = KindOf(work.opcode);
    packet.flags = static_cast<uint8_t>(
        (sent_bytes_ == 0 ? PacketFlag::kFirst : 0) | (is_last ? PacketFlag::kLast : 0) |
        (HasImmediate(work.opcode) ? PacketFlag::kImmediate : 0) |
        (work.opcode == IBV_WR_SEND_WITH_INV ? PacketFlag::kInvalidate : 0) |
        ((work.flags & IBV_SEND_SOLICITED) != 0 ? PacketFlag::kSolicited : 0) |
        ((work.flags & IBV_SEND_SIGNALED) != 0 ? PacketFlag::kTell : 0));
    Gather(ElementsOf(sequence), work.element_count, sent_bytes_, payload_bytes, packet.payload());
    requests_.Commit(payload_bytes);
    sent_bytes_ += payload_bytes;
  } while (sent_bytes_ < carried);
  return true;
}

Ticks Requester::TakeResponses(Ticks now) {
  Ticks next = kNever;
  while (Packet* packet = responses_.Front()) {
    if (packet->due > now) {
      next = packet->due;
      break;
    }
    gives_up_at_ = kNever;
    TakeResponse(*packet);
    if (pair_.has_failed()) return kNever;
    responses_.Pop(*packet);
  }
  if (responses_.Release()) Engine::Get().TellPeerSoon(&pair_, now);
  return next;
}

void Requester::TakeResponse(Packet& packet) {
  CompleteBefore(packet.sequence);
  if (pair_.has_failed()) return;
  if (packet.kind == PacketKind::kAcknowledge) {
    const auto status = static_cast<ibv_wc_status>(packet.status);
    if (status != IBV_WC_SUCCESS) return FailAtFirst(status);
    return CompleteBefore(packet.sequence + 1);
  }
  const ibv_wc_status status = Store(packet.sequence, packet);
  if (status != IBV_WC_SUCCESS) return FailAtFirst(status);
  if (!packet.is_last()) return;
  --reads_under_way_;
  CompleteBefore(packet.sequence + 1);
}

ibv_wc_status Requester::Store(uint64_t sequence, Packet& packet) {
  const ibv_sge* elements = ElementsOf(sequence);
  const uint32_t count = WorkAt(sequence).element_count;
  // The region may have been closed since.
  if (!MayUse(pair_, elements, count, IBV_ACCESS_LOCAL_WRITE)) return IBV_WC_LOC_PROT_ERR;
  Scatter(elements, count, packet.offset, packet.payload_bytes, packet.payload());
  return IBV_WC_SUCCESS;
}

// What is done locally needs no answer: it completes with what was before it.
void Requester::CompleteBefore(uint64_t sequence) {
  while (completed_ != sent_ && (completed_ < sequence || WorkAt(completed_).is_local())) {
    // Counted first: an overrun of the completion queue fails this queue pair, which flushes what is not.
    Complete(WorkAt(completed_++), IBV_WC_SUCCESS);
  }
  if (refusal_ != IBV_WC_SUCCESS && completed_ == sent_) FailAtFirst(refusal_);
}

void Requester::Complete(const Work& work, ibv_wc_status status) {
  if (status == IBV_WC_SUCCESS && (work.flags & IBV_SEND_SIGNALED) == 0) return;
  ibv_wc completion{};
  completion.wr_id = work.id;
  completion.status = status;
  completion.opcode = CompletionOpcode(work.opcode);
  completion.byte_len = work.byte_length;
  completion.qp_num = pair_.qp_num;
  pair_.send_queue().Push(completion, false);
}

void Requester::FailAtFirst(ibv_wc_status status) {
  if (pair_.has_failed() || completed_ == posted_) return;
  Complete(WorkAt(completed_++), status);
  pair_.Fail();
}

Ticks Requester::GiveUpOnDeafPeer(Ticks now) {
  if (completed_ == posted_ || !pair_.peer_is_deaf()) return kNever;
  const ConnectionTerms& terms = pair_.terms();
  // An exponent of 0 is for ever.
  if (terms.ack_timeout_exponent == 0) return kNever;
  if (gives_up_at_ == kNever) {
    const double timeout_ns = 4096.0 * static_cast<double>(uint64_t{1} << terms.ack_timeout_exponent);
    gives_up_at_ = Now() + FromNanoseconds(timeout_ns * (terms.retry_count + 1));
  }
  if (now < gives_up_at_) return gives_up_at_;
  FailAtFirst(IBV_WC_RETRY_EXC_ERR);
  return kNever;
}

void Requester::Flush() {
  while (completed_ != posted_) Complete(WorkAt(completed_++), IBV_WC_WR_FLUSH_ERR);
  sent_ = posted_;
  refusal_ = IBV_WC_SUCCESS;
}

}  // namespace loopback
