// The connection manager's event channel: one per environment, watched by its event loop.
#pragma once

#include <memory>
#include <unordered_map>

#include "../loader/verbs_api.h"
#include "../resource.h"
#include "../util/poll_handle.h"

namespace netts {

class CmId;

class CmChannel final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kCmChannel;
  static constexpr const char* kName = "the event channel";

  CmChannel(std::shared_ptr<EnvState> state, rdma_event_channel* channel)
      : Resource(std::move(state), kKind), channel_(channel) {}
  ~CmChannel() override { Close(); }

  // Starts watching: 0 or a negative libuv error.
  int Watch();
  void Close() noexcept override;
  bool closed() const noexcept override { return channel_ == nullptr; }
  rdma_event_channel* verbs() const { return channel_; }

  void Add(CmId* id);
  void Remove(CmId* id);
  // The event loop stays alive while any id asks for it.
  void Ref();
  void Unref();

 private:
  void Drain();
  // Copies an event to the id that it is about. Returns the number of that id; 0 when it is closed.
  uint64_t Deliver(const rdma_cm_event& event);

  rdma_event_channel* channel_;
  std::unique_ptr<PollHandle> poll_;
  std::unordered_map<rdma_cm_id*, CmId*> ids_;
  unsigned references_ = 0;
};

void RegisterCmChannel(Napi::Env env, Napi::Object exports);

}  // namespace netts
