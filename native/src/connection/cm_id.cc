#include "cm_id.h"

#include <cerrno>
#include <system_error>

#include "../objects/queue_pair.h"

namespace netts {

CmId::CmId(std::shared_ptr<CmChannel> channel, rdma_cm_id* id)
    : Resource(channel->shared_state(), kKind), channel_(std::move(channel)), id_(id) {
  channel_->Add(this);
}

void CmId::Close() noexcept {
  if (id_ == nullptr) return;
  // Its queue pair holds a reference to this id, perhaps the last one: keep the id until the end of this function.
  const std::shared_ptr<Resource> self = weak_from_this().lock();
  InterruptConnect();
  if (const auto pair = pair_.lock()) pair->Close();
  SetReferenced(false);
  // Requests that were not taken are rejected with the listener.
  events.clear();
  channel_->Remove(this);
  Rdma().destroy_id(id_);
  id_ = nullptr;
  channel_.reset();
}

int CmId::Connect(const rdma_conn_param& parameters) {
  if (id_->verbs->device->transport_type == IBV_TRANSPORT_IWARP) {
    try {
      connect_ = std::make_unique<BlockingConnect>(state(), number(), id_, parameters);
    } catch (const std::system_error& error) {
      return error.code().value();
    }
    awaits_answer_ = true;
    return 0;
  }
  rdma_conn_param copy = parameters;
  return Rdma().connect(id_, &copy) == 0 ? 0 : errno;
}

void CmId::CollectConnect() {
  if (connect_ == nullptr || !connect_->ended()) return;
  const int error = connect_->error();
  connect_.reset();
  if (error == 0) return;
  Answered();
  CmEvent event;
  const bool silent = error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
  event.type = silent ? RDMA_CM_EVENT_UNREACHABLE : RDMA_CM_EVENT_CONNECT_ERROR;
  event.status = -error;
  events.push_back(std::move(event));
}

bool CmId::GiveUp() {
  if (!awaits_answer_) return false;
  if (connect_ != nullptr) connect_->InterruptIfSilent();
  return true;
}

void CmId::Established() {
  if (const auto pair = pair_.lock()) pair->MarkEstablished();
}

void CmId::Disconnected() {
  const auto pair = pair_.lock();
  if (pair == nullptr || pair->closed()) return;
  // It fails if the queue pair is in the error state already.
  pair->MoveToError();
  pair->MarkFailed();
}

void CmId::SetReferenced(bool referenced) {
  if (referenced == referenced_) return;
  referenced_ = referenced;
  if (referenced) {
    channel_->Ref();
  } else {
    channel_->Unref();
  }
}

}  // namespace netts
