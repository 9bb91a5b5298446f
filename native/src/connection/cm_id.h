// An id of the connection manager (rdma_cm_id): a listener, or one end of a connection.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "blocking_connect.h"
#include "cm_channel.h"

namespace netts {

class CmId;
class QueuePair;

// A copy of an rdma_cm_event, which is acknowledged as soon as it was read.
struct CmEvent {
  rdma_cm_event_type type = RDMA_CM_EVENT_ADDR_ERROR;
  // 0, a negative errno, or an InfiniBand reject reason.
  int status = 0;
  std::vector<uint8_t> private_data;
  uint8_t responder_resources = 0;
  uint8_t initiator_depth = 0;
  // The new connection's id, of a connect request.
  std::shared_ptr<CmId> request;
};

class CmId final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kCmId;
  static constexpr const char* kName = "the connection id";

  CmId(std::shared_ptr<CmChannel> channel, rdma_cm_id* id);
  ~CmId() override { Close(); }

  // Destroys its queue pair first. A request that waits is rejected, a connection disconnected.
  void Close() noexcept override;
  bool closed() const noexcept override { return id_ == nullptr; }
  rdma_cm_id* verbs() const { return id_; }

  void SetQueuePair(const std::shared_ptr<QueuePair>& pair) { pair_ = pair; }
  bool HasQueuePair() const { return !pair_.expired(); }
  void Established();
  // Moves the queue pair to the error state: on InfiniBand the kernel does not when the peer disconnects, and on iWARP
  // it does not when this end does.
  void Disconnected();
  void SetReferenced(bool referenced);
  // 0 or an errno. Failures of the network come as events, also on iWARP.
  int Connect(const rdma_conn_param& parameters);
  // Ends a connect that still runs on a thread: it uses the queue pair, whose destruction would block.
  void InterruptConnect() { connect_.reset(); }
  // On iWARP, between connecting and the peer's answer, the kernel would block a disconnect. Interrupts the connect if
  // the host does not answer at all. False when no connect is unanswered.
  bool GiveUp();
  void Answered() { awaits_answer_ = false; }
  // If a connect on a thread has failed, adds an event that says so.
  void CollectConnect();

  // Events that JavaScript has not taken, the oldest first.
  std::deque<CmEvent> events;

 private:
  std::shared_ptr<CmChannel> channel_;
  rdma_cm_id* id_;
  std::weak_ptr<QueuePair> pair_;
  bool referenced_ = false;
  std::unique_ptr<BlockingConnect> connect_;
  bool awaits_answer_ = false;
};

void RegisterCmId(Napi::Env env, Napi::Object exports);

}  // namespace netts
