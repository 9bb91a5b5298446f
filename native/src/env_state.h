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
#include <unordered_set>

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

class EnvState {
 public:
  explicit EnvState(Napi::Env env);
  ~EnvState();
  EnvState(const EnvState&) = delete;
  EnvState& operator=(const EnvState&) = delete;

  // Shared, because objects may be finalized after Node.js let go of the instance data.
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
  size_t Count(ResourceKind kind) const { return resources_[static_cast<size_t>(kind)].size(); }

  // The one JavaScript function that native events go to. It finds their receivers by number, through weak
  // references, so that no native object keeps a JavaScript object alive.
  void SetDispatcher(Napi::Function dispatcher);
  // Calls the dispatcher from the event loop, runs the ticks and microtasks it queued, and turns an
  // exception into an uncaughtException. `build` makes the arguments inside a handle scope.
  template <typename Build>
  void Dispatch(Build build) {
    if (ended_ || dispatcher_.IsEmpty()) return;
    napi_env env = env_;
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return;
    std::array<napi_value, kMaxDispatchArguments> arguments{};
    const size_t count = build(env, arguments.data());
    CallDispatcher(count, arguments.data());
    napi_close_handle_scope(env, scope);
  }
  static constexpr size_t kMaxDispatchArguments = 4;

 private:
  void CallDispatcher(size_t count, const napi_value* arguments);
  void CloseAll() noexcept;

  Napi::Env env_;
  uv_loop_t* loop_ = nullptr;
  bool ended_ = false;
  Napi::FunctionReference dispatcher_;
  std::array<std::unordered_set<Resource*>, kResourceKinds> resources_;
};

}  // namespace netts
