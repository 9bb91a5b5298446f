// A shared receive queue (ibv_srq): one supply of receives for many queue pairs.
#pragma once

#include <memory>

#include "../util/shared_memory.h"
#include "protection_domain.h"

namespace netts {

class SharedReceiveQueue final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kSharedReceiveQueue;
  static constexpr const char* kName = "the shared receive queue";

  explicit SharedReceiveQueue(std::shared_ptr<ProtectionDomain> domain)
      : Resource(domain->shared_state(), kKind), domain_(std::move(domain)) {}
  ~SharedReceiveQueue() override { Close(); }

  // 0 or an errno. What was granted is in granted() then.
  int Create(uint32_t max_work_requests, uint32_t max_entries);
  void Close() noexcept override;
  bool closed() const noexcept override { return queue_ == nullptr; }
  ibv_srq* verbs() const { return queue_; }
  ProtectionDomain& domain() const { return *domain_; }
  const ibv_srq_attr& granted() const { return granted_; }

  std::shared_ptr<SharedMemory> requests;
  uint32_t max_requests = 0;
  uint32_t max_entries = 0;

 private:
  std::shared_ptr<ProtectionDomain> domain_;
  ibv_srq* queue_ = nullptr;
  ibv_srq_attr granted_{};
};

void RegisterSharedReceiveQueue(Napi::Env env, Napi::Object exports);

}  // namespace netts
