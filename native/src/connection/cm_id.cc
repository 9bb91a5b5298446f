#include "cm_id.h"

#include "../objects/queue_pair.h"

namespace netts {

CmId::CmId(std::shared_ptr<CmChannel> channel, rdma_cm_id* id)
    : Resource(channel->shared_state(), kKind), channel_(std::move(channel)), id_(id) {
  channel_->Add(this);
}

void CmId::Close() noexcept {
  if (id_ == nullptr) return;
  // Its queue pair holds a reference to this id: keep it until the end of this function, whoever has others.
  const std::shared_ptr<Resource> self = weak_from_this().lock();
  if (const auto pair = pair_.lock()) pair->Close();
  SetReferenced(false);
  // Requests that nobody took go with the listener.
  events.clear();
  channel_->Remove(this);
  Rdma().destroy_id(id_);
  id_ = nullptr;
  channel_.reset();
}

void CmId::Established() {
  if (const auto pair = pair_.lock()) pair->MarkEstablished();
}

void CmId::Disconnected() {
  const auto pair = pair_.lock();
  if (pair == nullptr || pair->closed()) return;
  // A failure means that it is in the error state already, where this was to bring it.
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
