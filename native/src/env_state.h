// What the addon keeps per Node.js environment: the main thread and each worker have their own.
//
// Every verbs object that JavaScript made is registered here, so that an environment that ends (worker
// exit, terminate(), normal exit) destroys them in the order the verbs demand, whatever JavaScript still
// holds. See Resource for how the order is kept while the environment lives.
#pragma once

#include <napi.h>
#include <uv.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "loader/verbs_api.h"
#include "util/id_table.h"

namespace netts {

// In the order of destruction at the end of an environment: windows are bound to queue pairs, queue pairs
// use everything else, regions and ids hang off the protection domain's context.
enum class ResourceKind : uint8_t {
  kMemoryWindow,
  kQueuePair,
  kSharedReceiveQueue,
  kCompletionQueue,
  kCompletionChannel,
  kMemoryRegion,
  kCmId,
  kCmChannel,
  kProtectionDomain,
  kContext,
};
constexpr size_t kResourceKinds = 10;

class Resource;
class MemoryRegion;
class MemoryWindow;
class ProtectionDomain;
class SharedMemory;

class EnvState {
 public:
  explicit EnvState(Napi::Env env);
  ~EnvState();
  EnvState(const EnvState&) = delete;
  EnvState& operator=(const EnvState&) = delete;

  // Shared, because objects may be finalized after Node.js has deleted the instance data.
  static const std::shared_ptr<EnvState>& Of(Napi::Env env) {
    return *env.GetInstanceData<std::shared_ptr<EnvState>>();
  }

  Napi::Env env() const { return env_; }
  // Fetched once at start: asking after the environment began to end crashes Node.js.
  uv_loop_t* loop() const { return loop_; }
  // True once the cleanup hook ran; nothing may be created, and no JavaScript called, from then on.
  bool ended() const { return ended_; }

  void Add(Resource* resource);
  void Remove(Resource* resource);
  // How many resources of each kind are open, for leak tests.
  size_t Count(ResourceKind kind) const;
  // The open resource of that kind and number, or nullptr.
  Resource* Find(ResourceKind kind, uint64_t number) const;
  // All of a kind. The copy holds references: closing one may drop the last reference to another.
  std::vector<std::shared_ptr<Resource>> Open(ResourceKind kind) const;
  // Closes everything that is open, kind by kind.
  void CloseAll() noexcept;

  // The one JavaScript function that gets native events. It finds their receivers by number, so that no native object
  // keeps a JavaScript object alive.
  void SetDispatcher(Napi::Function dispatcher);
  // Tells JavaScript, from the event loop, that the resource of that number has events. Runs the ticks and microtasks
  // that follow, and turns an exception into an uncaughtException.
  void Dispatch(uint64_t number);
  // The same from any thread, and from within calls of JavaScript: in the event loop's next turn.
  void DispatchSoon(uint64_t number);

  // Ids of open regions and windows, as work requests name them.
  IdTable<MemoryRegion> regions;
  IdTable<MemoryWindow> windows;
  // Open objects that functions of direct_call.h name.
  IdTable<Resource> callees;
  // Registrations that the device refused to end, see MemoryRegion::CloseLeftovers().
  struct LeftoverRegion {
    ibv_mr* region;
    std::shared_ptr<SharedMemory> memory;
    std::shared_ptr<ProtectionDomain> domain;
  };
  std::vector<LeftoverRegion> leftover_regions;
  // Work requests under construction; kept, so that posting allocates nothing.
  std::vector<ibv_send_wr> send_scratch;
  std::vector<ibv_recv_wr> receive_scratch;
  std::vector<ibv_sge> entry_scratch;

 private:
  void End() noexcept;

  Napi::Env env_;
  uv_loop_t* loop_ = nullptr;
  bool ended_ = false;
  // Wakes the event loop for what DispatchSoon() was told. Heap-allocated: libuv needs it until it was closed.
  uv_async_t* wake_ = nullptr;
  std::mutex soon_mutex_;
  std::vector<uint64_t> soon_;
  Napi::FunctionReference dispatcher_;
  std::array<std::unordered_set<Resource*>, kResourceKinds> resources_;
};

}  // namespace netts
