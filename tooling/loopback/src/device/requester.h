// The sending half of a queue pair: the send queue, requests on the wire, and the responses to them.
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>
#include <vector>

#include "../wire/ring.h"

namespace loopback {

class QueuePair;

class Requester {
 public:
  Requester(QueuePair& pair, const ibv_qp_cap& limits);
  void Attach(RingWriter requests, RingReader responses) {
    requests_ = requests;
    responses_ = responses;
  }

  // Queues one. Returns 0 or an errno: ENOMEM when the queue is full.
  int Post(const ibv_send_wr& request);
  // Sends as much of what was posted as there is room for, and tells the peer.
  void Transmit(Ticks now);
  // Takes what the peer answered. Returns when there is more.
  Ticks TakeResponses(Ticks now);
  // Fails the queue pair when a peer that answers nothing any more was waited for long enough. Returns when to look.
  Ticks GiveUpOnDeafPeer(Ticks now);
  // Completes what is outstanding as flushed.
  void Flush();

 private:
  struct Work {
    uint64_t id;
    uint64_t remote_address;
    uint64_t compare_or_add;
    uint64_t swap;
    ibv_wr_opcode opcode;
    uint32_t flags;
    uint32_t remote_key;
    uint32_t immediate;
    uint32_t byte_length;
    uint32_t element_count;
    // Of binding.
    uint32_t window_key;
    ibv_mw_bind_info binding;

    bool is_read() const {
      return opcode == IBV_WR_RDMA_READ || opcode == IBV_WR_ATOMIC_CMP_AND_SWP ||
             opcode == IBV_WR_ATOMIC_FETCH_AND_ADD;
    }
    bool is_local() const { return opcode == IBV_WR_BIND_MW || opcode == IBV_WR_LOCAL_INV; }
    bool is_inline() const { return (flags & IBV_SEND_INLINE) != 0; }
  };

  Work& WorkAt(uint64_t sequence) { return works_[sequence % works_.size()]; }
  ibv_sge* ElementsOf(uint64_t sequence) { return &elements_[sequence % works_.size() * max_elements_]; }

  bool MayStart(const Work& work) const;
  ibv_wc_status Start(uint64_t sequence);
  bool SendPackets(uint64_t sequence, Ticks now);
  void TakeResponse(Packet& packet);
  ibv_wc_status Store(uint64_t sequence, Packet& packet);
  void CompleteBefore(uint64_t sequence);
  void Complete(const Work& work, ibv_wc_status status);
  void FailAtFirst(ibv_wc_status status);

  QueuePair& pair_;
  uint32_t max_elements_;
  uint32_t max_inline_bytes_;
  std::vector<Work> works_;
  std::vector<ibv_sge> elements_;
  std::vector<uint8_t> inline_bytes_;
  RingWriter requests_;
  RingReader responses_;
  // Sequences: completed_ ≤ sent_ ≤ posted_. Of the one at sent_, so many bytes are on their way.
  uint64_t completed_ = 0;
  uint64_t sent_ = 0;
  uint64_t posted_ = 0;
  uint32_t sent_bytes_ = 0;
  bool is_started_ = false;
  uint32_t reads_under_way_ = 0;
  // The one at sent_ can't be sent. It fails once those before it completed.
  ibv_wc_status refusal_ = IBV_WC_SUCCESS;
  Ticks gives_up_at_ = kNever;
};

}  // namespace loopback
