// A memory window of type 2 (ibv_mw): bound and invalidated by work requests.
#pragma once

#include <memory>

#include "protection_domain.h"

namespace netts {

class MemoryWindow final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kMemoryWindow;
  static constexpr const char* kName = "the memory window";

  MemoryWindow(std::shared_ptr<ProtectionDomain> domain, ibv_mw* window)
      : Resource(domain->shared_state(), kKind), domain_(std::move(domain)), window_(window) {
    id_ = state().windows.Add(this);
  }
  ~MemoryWindow() override { Close(); }

  void Close() noexcept override;
  bool closed() const noexcept override { return window_ == nullptr; }
  uint32_t id() const { return id_; }
  ibv_mw* verbs() const { return window_; }
  const ProtectionDomain* domain() const { return domain_.get(); }

 private:
  std::shared_ptr<ProtectionDomain> domain_;
  ibv_mw* window_;
  uint32_t id_ = 0;
};

void RegisterMemoryWindow(Napi::Env env, Napi::Object exports);

}  // namespace netts
