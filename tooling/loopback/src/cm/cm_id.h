// An id of the connection manager: the one end of a connection, from its address to its end, or a listener.
#pragma once

#include <rdma/rdma_cma.h>

#include <memory>
#include <vector>

#include "../base/file_descriptor.h"
#include "../base/shared_object.h"
#include "../device/context.h"
#include "../device/queue_pair.h"
#include "event_channel.h"

namespace loopback {

// What can fail returns 0 or an errno.
class CmId : public rdma_cm_id {
 public:
  CmId(EventChannel* channel, void* user, rdma_port_space space);
  ~CmId();

  int Bind(const sockaddr* address);
  int Listen();
  int ResolveAddress(const sockaddr* source, const sockaddr* destination, int timeout_ms);
  int ResolveRoute();
  int Connect(const rdma_conn_param& parameters);
  int Accept(const rdma_conn_param& parameters);
  int Reject(const void* data, uint8_t byte_length);
  int Disconnect();
  void SetAckTimeout(uint8_t exponent) { ack_timeout_exponent_ = exponent; }

  // Of its event channel.
  void OnReadable();
  void OnTimeout();

  // The device was removed: tells all ids that are on it.
  static void AnnounceRemoval(const Context* removed);

 private:
  enum class State {
    kIdle,
    kBound,
    kListening,
    kResolving,
    kResolved,
    kConnecting,   // asked, and waits for the answer
    kIncoming,     // a socket whose request is still to come
    kRequested,    // asked by the peer
    kAccepting,    // answered, and waits for the peer to be ready
    kConnected,
    kEnded,
  };

  EventChannel& events() { return *static_cast<EventChannel*>(channel); }
  QueuePair* pair() { return static_cast<QueuePair*>(qp); }
  void Tell(rdma_cm_event_type type, int status = 0, const Message* message = nullptr, uint8_t data_bytes = 0);
  void Deliver(CmEvent* event, const Message* message, uint8_t data_bytes);
  void OnMessage(const Message& message, std::vector<FileDescriptor> descriptors);
  void OnEnd();
  void AcceptSockets();
  void OnRequest(const Message& message, std::vector<FileDescriptor> descriptors);
  void OnReply(const Message& message, std::vector<FileDescriptor> descriptors);
  // The connection will not be: the queue pair, if any, fails, and the event says why.
  void Fail(rdma_cm_event_type type, int status, const Message* message = nullptr);
  void Ended();
  void TryToConnect();
  ConnectionTerms Terms(uint8_t peer_responder_resources, uint8_t retry_count) const;

  State state_ = State::kIdle;
  FileDescriptor socket_;
  rdma_conn_param parameters_{};
  uint8_t ack_timeout_exponent_;
  bool said_goodbye_ = false;
  // Until the queue pair has it.
  FileDescriptor wire_fd_;
  SharedObject<Wire> wire_;
  // Of a request.
  CmId* listener_ = nullptr;
  std::shared_ptr<Host> peer_;
  Message request_{};
  // Of a listener.
  std::vector<CmId*> incoming_;
};

}  // namespace loopback
