#include "env_state.h"

#include <memory>
#include <vector>

#include "resource.h"

namespace netts {

EnvState::EnvState(Napi::Env env) : env_(env) {
  napi_get_uv_event_loop(env, &loop_);
  // Runs after the finalizers of external array buffers and before those of wrapped objects, so this is
  // where the device must be told to stop: see the note on slabs in memory_slab.h.
  env.AddCleanupHook([](EnvState* state) { state->CloseAll(); }, this);
}

// Node.js deletes instance data after the cleanup hooks and the finalizers of wrapped objects.
EnvState::~EnvState() = default;

void EnvState::Add(Resource* resource) {
  resources_[static_cast<size_t>(resource->kind())].insert(resource);
}

void EnvState::Remove(Resource* resource) {
  resources_[static_cast<size_t>(resource->kind())].erase(resource);
}

void EnvState::SetDispatcher(Napi::Function dispatcher) { dispatcher_ = Napi::Persistent(dispatcher); }

void EnvState::CallDispatcher(size_t count, const napi_value* arguments) {
  // Plain Node-API, not node-addon-api: while a worker is being terminated every call fails, and an
  // exception object cannot be made either.
  napi_env env = env_;
  napi_value receiver;
  napi_value ignored;
  if (napi_get_undefined(env, &receiver) != napi_ok) return;
  napi_value global;
  if (napi_get_global(env, &global) != napi_ok) return;
  const napi_status status =
      napi_make_callback(env, nullptr, global, dispatcher_.Value(), count, arguments, &ignored);
  if (status != napi_pending_exception) return;
  napi_value exception;
  if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
}

void EnvState::CloseAll() noexcept {
  ended_ = true;
  dispatcher_.Reset();
  for (auto& kind : resources_) {
    // Closing one may drop the last reference to another, so work on a copy that holds references.
    std::vector<std::shared_ptr<Resource>> open;
    open.reserve(kind.size());
    for (Resource* resource : kind) open.push_back(resource->shared_from_this());
    for (auto& resource : open) resource->Close();
  }
}

}  // namespace netts
