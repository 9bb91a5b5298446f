// Memory and its registration (ibv_mr).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "../util/shared_memory.h"
#include "protection_domain.h"

namespace netts {

class MemoryRegion final : public Resource {
 public:
  static constexpr ResourceKind kKind = ResourceKind::kMemoryRegion;
  static constexpr const char* kName = "the memory region";

  MemoryRegion(std::shared_ptr<ProtectionDomain> domain, std::shared_ptr<SharedMemory> memory, int access)
      : Resource(domain->shared_state(), kKind),
        domain_(std::move(domain)),
        memory_(std::move(memory)),
        access_(access) {}
  ~MemoryRegion() override { Close(); }

  // Pins and registers the memory: 0 or an errno. May run on another thread than the environment's, so that
  // it is serialised against Close().
  int Register() noexcept;
  // Gives the region the id by which work requests name it. False when there is none left.
  bool Publish();

  void Close() noexcept override;
  bool closed() const noexcept override { return region_ == nullptr; }

  uint32_t id() const { return id_; }
  ibv_mr* verbs() const { return region_; }
  uint32_t local_key() const { return region_->lkey; }
  const ProtectionDomain* domain() const { return domain_.get(); }
  const std::shared_ptr<SharedMemory>& memory() const { return memory_; }
  bool owns_memory() const { return !memory_->is_kept(); }
  uint64_t address() const { return reinterpret_cast<uint64_t>(memory_->data()); }
  uint64_t byte_length() const { return memory_->byte_length(); }

  // Bytes that open regions pin, of all environments of the process.
  static uint64_t PinnedBytes();
  // Tries again to deregister regions that the device refused because a window was still bound to them.
  static void CloseLeftovers(EnvState& state) noexcept;

 private:
  void Deregister() noexcept;

  std::mutex mutex_;
  bool close_asked_ = false;
  std::shared_ptr<ProtectionDomain> domain_;
  std::shared_ptr<SharedMemory> memory_;
  int access_;
  ibv_mr* region_ = nullptr;
  uint32_t id_ = 0;
};

void RegisterMemoryRegion(Napi::Env env, Napi::Object exports);

}  // namespace netts
