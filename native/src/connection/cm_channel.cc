#include "cm_channel.h"

#include <fcntl.h>

#include <cerrno>
#include <vector>

#include "../objects/queue_pair.h"
#include "../util/errors.h"
#include "cm_id.h"

namespace netts {
namespace {

// Bounds the work of one turn of the event loop: if events are left, the descriptor is still readable in the next.
constexpr int kEventsPerTurn = 64;

}  // namespace

int CmChannel::Watch() {
  const int flags = fcntl(channel_->fd, F_GETFL);
  if (flags < 0 || fcntl(channel_->fd, F_SETFL, flags | O_NONBLOCK) != 0) return -errno;
  poll_ = std::make_unique<PollHandle>(state().loop(), channel_->fd, [this] { Drain(); });
  return poll_->status();
}

void CmChannel::Close() noexcept {
  poll_.reset();
  if (channel_ != nullptr) Rdma().destroy_event_channel(channel_);
  channel_ = nullptr;
}

void CmChannel::Add(CmId* id) { ids_.emplace(id->verbs(), id); }
void CmChannel::Remove(CmId* id) { ids_.erase(id->verbs()); }

void CmChannel::Ref() {
  if (references_++ == 0) poll_->Ref();
}

void CmChannel::Unref() {
  if (--references_ == 0 && poll_ != nullptr) poll_->Unref();
}

void CmChannel::Drain() {
  // JavaScript runs after all events were copied and acknowledged: it may close this channel, or ids, which blocks
  // until their events are acknowledged.
  std::vector<uint64_t> receivers;
  for (int taken = 0; taken < kEventsPerTurn; ++taken) {
    rdma_cm_event* event = nullptr;
    if (Rdma().get_cm_event(channel_, &event) != 0) {
      // EAGAIN: there are no more. Any other error is about one event, which librdmacm dropped; the next may be valid.
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EBADF) break;
      continue;
    }
    const uint64_t number = Deliver(*event);
    Rdma().ack_cm_event(event);
    if (number != 0) receivers.push_back(number);
  }
  const std::shared_ptr<EnvState> env = shared_state();
  for (const uint64_t number : receivers) env->Dispatch(number);
}

uint64_t CmChannel::Deliver(const rdma_cm_event& event) {
  const bool request = event.event == RDMA_CM_EVENT_CONNECT_REQUEST;
  const auto found = ids_.find(request ? event.listen_id : event.id);
  if (found == ids_.end()) return 0;
  CmId& receiver = *found->second;
  CmEvent copy;
  copy.type = event.event;
  copy.status = event.status;
  const rdma_conn_param& parameters = event.param.conn;
  const auto* data = static_cast<const uint8_t*>(parameters.private_data);
  if (data != nullptr) copy.private_data.assign(data, data + parameters.private_data_len);
  if (request) {
    copy.responder_resources = parameters.responder_resources;
    copy.initiator_depth = parameters.initiator_depth;
    copy.request = std::make_shared<CmId>(Share(*this), event.id);
  }
  // Any other event that may come after connecting is an answer.
  if (!request && event.event != RDMA_CM_EVENT_ADDR_CHANGE) receiver.Answered();
  if (event.event == RDMA_CM_EVENT_DEVICE_REMOVAL) {
    Context* context = Context::Find(state(), event.id->verbs);
    if (context != nullptr) context->MarkRemoved();
  }
  if (event.event == RDMA_CM_EVENT_ESTABLISHED) receiver.Established();
  if (event.event == RDMA_CM_EVENT_DISCONNECTED) receiver.Disconnected();
  receiver.events.push_back(std::move(copy));
  return receiver.number();
}

namespace {

// createCmChannel() → handle
Napi::Value CreateCmChannel(const Napi::CallbackInfo& info) {
  rdma_event_channel* verbs = Rdma().create_event_channel();
  if (verbs == nullptr) ThrowErrno(info.Env(), "rdma_create_event_channel");
  auto channel = std::make_shared<CmChannel>(EnvState::Of(info.Env()), verbs);
  const int error = channel->Watch();
  if (error != 0) throw SystemError(info.Env(), "uv_poll_start", -error);
  return MakeHandle(info.Env(), channel);
}

}  // namespace

void RegisterCmChannel(Napi::Env env, Napi::Object exports) {
  exports.Set("createCmChannel", Napi::Function::New(env, CreateCmChannel));
}

}  // namespace netts
