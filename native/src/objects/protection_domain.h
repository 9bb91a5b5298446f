// A protection domain (ibv_pd).
#pragma once

#include <memory>
#include <vector>

#include "context.h"

namespace netts {

class MemoryRegion;

class ProtectionDomain final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kProtectionDomain;
  static constexpr const char* kName = "the protection domain";

  ProtectionDomain(std::shared_ptr<Context> context, ibv_pd* domain)
      : Resource(context->shared_state(), kKind), context_(std::move(context)), domain_(domain) {}
  ~ProtectionDomain() override { Close(); }

  void Close() noexcept override;
  bool closed() const noexcept override { return domain_ == nullptr; }
  ibv_pd* verbs() const { return domain_; }
  Context& context() const { return *context_; }

 private:
  std::shared_ptr<Context> context_;
  ibv_pd* domain_;
};

void RegisterProtectionDomain(Napi::Env env, Napi::Object exports);

}  // namespace netts
