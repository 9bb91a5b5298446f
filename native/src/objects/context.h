// An open RDMA device.
//
// The context is one that librdmacm opened: its connection ids use its own contexts, and a queue pair must be made on
// the same one. librdmacm keeps one per device and process.
#pragma once

#include <memory>
#include <string>

#include "../loader/verbs_api.h"
#include "../resource.h"
#include "async_events.h"
#include "siw_key_guard.h"

namespace netts {

class Context final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kContext;
  static constexpr const char* kName = "the device context";

  // nullptr with errno set when no such device is there or it can't be opened.
  static std::shared_ptr<Context> OpenByName(const std::shared_ptr<EnvState>& state, const std::string& name);
  ~Context() override { Close(); }

  void Close() noexcept override;
  bool closed() const noexcept override { return verbs_ == nullptr; }
  ibv_context* verbs() const { return verbs_; }
  const ibv_device_attr& attributes() const { return attributes_; }
  AsyncEvents& events() { return *events_; }
  // The device was removed: closing this context makes librdmacm close its own.
  void MarkRemoved() { removed_ = true; }
  // The open context of that device in an environment, or nullptr.
  static Context* Find(const EnvState& state, const ibv_context* verbs);

 private:
  explicit Context(std::shared_ptr<EnvState> state) : Resource(std::move(state), kKind) {}

  // rdma_free_devices() closes contexts that nothing else uses, so the list is kept as long as the context.
  ibv_context** list_ = nullptr;
  ibv_context* verbs_ = nullptr;
  bool removed_ = false;
  ibv_device_attr attributes_{};
  std::unique_ptr<SiwKeyGuard> guard_;
  std::unique_ptr<AsyncEvents> events_;
};

void RegisterContext(Napi::Env env, Napi::Object exports);

}  // namespace netts
