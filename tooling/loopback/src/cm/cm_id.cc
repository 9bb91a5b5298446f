#include "cm_id.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "address.h"
#include "unix_socket.h"

namespace loopback {
namespace {

// `enum ib_cm_rej_reason` of the kernel's rdma/ib_cm.h.
constexpr int kRejectTimeout = 4;
constexpr int kRejectInvalidServiceId = 8;
constexpr int kRejectConsumerDefined = 28;

// Where the listener's queue of connections is full.
constexpr double kConnectAgainAfterNs = 1e6;
// Until somebody sets another: 67 ms.
constexpr uint8_t kDefaultAckTimeoutExponent = 14;

// Never destroyed: threads may outlive what is static.
std::vector<CmId*>& AllIds() {
  static auto* ids = new std::vector<CmId*>;
  return *ids;
}

}  // namespace

CmId::CmId(EventChannel* channel_of, void* user, rdma_port_space space)
    : rdma_cm_id{}, ack_timeout_exponent_(kDefaultAckTimeoutExponent) {
  channel = channel_of;
  context = user;
  ps = space;
  qp_type = IBV_QPT_RC;
  AllIds().push_back(this);
}

CmId::~CmId() {
  AllIds().erase(std::find(AllIds().begin(), AllIds().end(), this));
  if (state_ == State::kRequested) Reject(nullptr, 0);
  if (listener_ != nullptr) {
    auto& siblings = listener_->incoming_;
    siblings.erase(std::remove(siblings.begin(), siblings.end(), this), siblings.end());
  }
  while (!incoming_.empty()) delete incoming_.back();
  if (socket_.valid()) events().StopWatching(socket_.get());
  events().Forget(this);
}

int CmId::Bind(const sockaddr* address) {
  if (state_ != State::kIdle) return EINVAL;
  if (!IsWildcard(address)) {
    if (!IsLocal(address)) return EADDRNOTAVAIL;
    verbs = Context::Current();
    if (verbs == nullptr) return ENODEV;
    port_num = 1;
  }
  sockaddr_storage own = CopyOf(address);
  socket_ = NewSocket();
  if (!socket_.valid()) return errno;
  const int error = BindSocket(socket_.get(), reinterpret_cast<sockaddr*>(&own));
  if (error != 0) return error;
  route.addr.src_storage = own;
  state_ = State::kBound;
  return 0;
}

int CmId::Listen() {
  if (state_ != State::kBound) return EINVAL;
  // As many as the system allows: what there is no room for is refused by the program, with a reason.
  if (listen(socket_.get(), SOMAXCONN) != 0) return errno;
  state_ = State::kListening;
  events().Watch(this, socket_.get());
  return 0;
}

int CmId::ResolveAddress(const sockaddr* source, const sockaddr* destination, int timeout_ms) {
  if (state_ != State::kIdle) return EINVAL;
  if (source != nullptr && !IsLocal(source) && !IsWildcard(source)) return EADDRNOTAVAIL;
  state_ = State::kResolving;
  route.addr.dst_storage = CopyOf(destination);
  if (!IsLocal(destination)) {
    // Nobody there answers.
    events().SetTimeout(this, Now() + FromNanoseconds(timeout_ms * 1e6));
    return 0;
  }
  verbs = Context::Current();
  if (verbs == nullptr) {
    Fail(RDMA_CM_EVENT_ADDR_ERROR, -ENODEV);
    return 0;
  }
  port_num = 1;
  route.addr.src_storage =
      source == nullptr || IsWildcard(source) ? OwnAddressFor(destination) : CopyOf(source);
  if (PortOf(&route.addr.src_addr) == 0) SetPort(&route.addr.src_addr, NextEphemeralPort());
  state_ = State::kResolved;
  Tell(RDMA_CM_EVENT_ADDR_RESOLVED);
  return 0;
}

int CmId::ResolveRoute() {
  if (state_ != State::kResolved) return EINVAL;
  Tell(RDMA_CM_EVENT_ROUTE_RESOLVED);
  return 0;
}

int CmId::Connect(const rdma_conn_param& parameters) {
  if (state_ != State::kResolved || qp == nullptr) return EINVAL;
  if (ContextOf(verbs).is_removed()) return ENODEV;
  if (parameters.private_data_len > kRequestDataBytes) return EINVAL;
  parameters_ = parameters;
  request_ = MessageOf(MessageType::kRequest, &parameters);
  wire_fd_ = SharedObject<Wire>::Create("netts_loopback-wire");
  if (!wire_fd_.valid() || !wire_.Map(wire_fd_)) return errno;
  state_ = State::kConnecting;
  TryToConnect();
  return 0;
}

void CmId::TryToConnect() {
  socket_ = NewSocket();
  if (!socket_.valid()) return Fail(RDMA_CM_EVENT_CONNECT_ERROR, -errno);
  const sockaddr* destination = &route.addr.dst_addr;
  int error = ConnectSocket(socket_.get(), destination, false);
  if (error == ECONNREFUSED) error = ConnectSocket(socket_.get(), destination, true);
  if (error == EAGAIN) return events().SetTimeout(this, Now() + FromNanoseconds(kConnectAgainAfterNs));
  if (error == ECONNREFUSED) return Fail(RDMA_CM_EVENT_REJECTED, kRejectInvalidServiceId);
  if (error != 0) return Fail(RDMA_CM_EVENT_CONNECT_ERROR, -error);
  const Host& own = Host::Own();
  request_.queue_pair_index = pair()->index();
  request_.host_number = own.number();
  request_.source = route.addr.src_storage;
  request_.destination = route.addr.dst_storage;
  if (!SendMessage(socket_.get(), request_, {wire_fd_.get(), own.mailbox_fd(), own.timer_fd()})) {
    return Fail(RDMA_CM_EVENT_CONNECT_ERROR, -errno);
  }
  wire_fd_ = FileDescriptor();
  events().Watch(this, socket_.get());
}

int CmId::Accept(const rdma_conn_param& parameters) {
  if (state_ != State::kRequested || qp == nullptr) return EINVAL;
  parameters_ = parameters;
  const Host& own = Host::Own();
  Message reply = MessageOf(MessageType::kReply, &parameters);
  reply.queue_pair_index = pair()->index();
  reply.host_number = own.number();
  pair()->Attach(std::move(wire_), 1, peer_, request_.queue_pair_index,
                 Terms(request_.responder_resources, request_.retry_count));
  state_ = State::kAccepting;
  // If the peer is gone, the end of the socket will say so.
  SendMessage(socket_.get(), reply, {own.mailbox_fd(), own.timer_fd()});
  return 0;
}

int CmId::Reject(const void* data, uint8_t byte_length) {
  if (state_ != State::kRequested || byte_length > kRejectDataBytes) return EINVAL;
  rdma_conn_param parameters{};
  parameters.private_data = data;
  parameters.private_data_len = byte_length;
  SendMessage(socket_.get(), MessageOf(MessageType::kReject, &parameters), {});
  state_ = State::kEnded;
  return 0;
}

int CmId::Disconnect() {
  if (state_ != State::kConnected && state_ != State::kAccepting && state_ != State::kEnded) return EINVAL;
  if (qp != nullptr) pair()->Fail();
  if (!said_goodbye_ && socket_.valid()) SendMessage(socket_.get(), MessageOf(MessageType::kDisconnect, nullptr), {});
  said_goodbye_ = true;
  return 0;
}

ConnectionTerms CmId::Terms(uint8_t peer_responder_resources, uint8_t retry_count) const {
  // Each end says how often the other one may try again.
  return {std::min(parameters_.initiator_depth, peer_responder_resources), ack_timeout_exponent_, retry_count,
          parameters_.rnr_retry_count};
}

void CmId::OnTimeout() {
  if (state_ == State::kResolving) Fail(RDMA_CM_EVENT_ADDR_ERROR, -ETIMEDOUT);
  if (state_ == State::kConnecting) TryToConnect();
}

void CmId::OnReadable() {
  if (state_ == State::kListening) return AcceptSockets();
  for (;;) {
    Message message;
    std::vector<FileDescriptor> descriptors;
    switch (ReceiveMessage(socket_.get(), &message, &descriptors)) {
      case Received::kNothing:
        return;
      case Received::kEnd:
        events().StopWatching(socket_.get());
        // Nobody knows of one that never said what it wants.
        if (state_ == State::kIncoming) {
          delete this;
          return;
        }
        return OnEnd();
      case Received::kMessage:
        OnMessage(message, std::move(descriptors));
    }
  }
}

void CmId::AcceptSockets() {
  for (;;) {
    FileDescriptor socket(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    // Without descriptors, or when the client is gone already: it is looked at again.
    if (!socket.valid()) return;
    auto* request = new CmId(&events(), nullptr, ps);
    request->socket_ = std::move(socket);
    request->state_ = State::kIncoming;
    request->listener_ = this;
    incoming_.push_back(request);
    events().Watch(request, request->socket_.get());
    // Mostly it is there already.
    request->OnReadable();
  }
}

void CmId::OnMessage(const Message& message, std::vector<FileDescriptor> descriptors) {
  switch (message.type) {
    case MessageType::kRequest:
      return OnRequest(message, std::move(descriptors));
    case MessageType::kReply:
      return OnReply(message, std::move(descriptors));
    case MessageType::kReady:
      if (state_ != State::kAccepting) return;
      state_ = State::kConnected;
      return Tell(RDMA_CM_EVENT_ESTABLISHED);
    case MessageType::kReject:
      if (state_ == State::kConnecting) Fail(RDMA_CM_EVENT_REJECTED, kRejectConsumerDefined, &message);
      return;
    case MessageType::kDisconnect:
      if (state_ == State::kConnected || state_ == State::kAccepting) Ended();
  }
}

void CmId::OnRequest(const Message& message, std::vector<FileDescriptor> descriptors) {
  if (state_ != State::kIncoming || descriptors.size() != 3) return;
  verbs = Context::Current();
  if (verbs != nullptr) peer_ = Host::Find(message.host_number, std::move(descriptors[1]), std::move(descriptors[2]));
  if (peer_ == nullptr || !wire_.Map(descriptors[0])) {
    // Without a device, or memory for it, there is no request: both ends will see that the socket ends.
    shutdown(socket_.get(), SHUT_RDWR);
    return;
  }
  port_num = 1;
  request_ = message;
  route.addr.src_storage = message.destination;
  route.addr.dst_storage = message.source;
  state_ = State::kRequested;
  CmId* listener = std::exchange(listener_, nullptr);
  auto& siblings = listener->incoming_;
  siblings.erase(std::remove(siblings.begin(), siblings.end(), this), siblings.end());
  context = listener->context;
  auto* event = new CmEvent{};
  event->id = this;
  event->listen_id = listener;
  event->event = RDMA_CM_EVENT_CONNECT_REQUEST;
  Deliver(event, &message, kRequestDataBytes);
}

void CmId::OnReply(const Message& message, std::vector<FileDescriptor> descriptors) {
  if (state_ != State::kConnecting || descriptors.size() != 2) return;
  if (qp == nullptr) return Fail(RDMA_CM_EVENT_CONNECT_ERROR, -EINVAL);
  auto peer = Host::Find(message.host_number, std::move(descriptors[0]), std::move(descriptors[1]));
  if (peer == nullptr) return Fail(RDMA_CM_EVENT_CONNECT_ERROR, -errno);
  pair()->Attach(std::move(wire_), 0, std::move(peer), message.queue_pair_index,
                 Terms(message.responder_resources, parameters_.retry_count));
  SendMessage(socket_.get(), MessageOf(MessageType::kReady, nullptr), {});
  state_ = State::kConnected;
  Tell(RDMA_CM_EVENT_ESTABLISHED, 0, &message, kReplyDataBytes);
}

// The peer destroyed its id, or its process ended.
void CmId::OnEnd() {
  switch (state_) {
    case State::kConnecting:
      return Fail(RDMA_CM_EVENT_UNREACHABLE, -ETIMEDOUT);
    case State::kRequested:
    case State::kAccepting:
      return Fail(RDMA_CM_EVENT_REJECTED, kRejectTimeout);
    case State::kConnected:
      if (qp != nullptr) pair()->DeclarePeerDeaf();
      return Ended();
    default:
      state_ = State::kEnded;
  }
}

void CmId::Fail(rdma_cm_event_type type, int status, const Message* message) {
  state_ = State::kEnded;
  if (qp != nullptr) pair()->Fail();
  Tell(type, status, message, message == nullptr ? 0 : kRejectDataBytes);
}

void CmId::Ended() {
  state_ = State::kEnded;
  if (qp != nullptr) pair()->TakeEverything();
  Tell(RDMA_CM_EVENT_DISCONNECTED);
}

void CmId::Tell(rdma_cm_event_type type, int status, const Message* message, uint8_t data_bytes) {
  auto* event = new CmEvent{};
  event->id = this;
  event->event = type;
  event->status = status;
  Deliver(event, message, data_bytes);
}

void CmId::Deliver(CmEvent* event, const Message* message, uint8_t data_bytes) {
  if (message != nullptr) {
    rdma_conn_param& out = event->param.conn;
    std::memcpy(event->data, message->data, data_bytes);
    out.private_data = event->data;
    out.private_data_len = data_bytes;
    // What the peer may have under way is what this end has to answer, and the other way round.
    out.responder_resources = message->initiator_depth;
    out.initiator_depth = message->responder_resources;
    out.retry_count = message->retry_count;
  }
  events().Add(event);
}

void CmId::AnnounceRemoval(const Context* removed) {
  for (CmId* id : AllIds()) {
    if (id->verbs == removed && id->state_ != State::kIncoming) id->Tell(RDMA_CM_EVENT_DEVICE_REMOVAL);
  }
}

}  // namespace loopback
