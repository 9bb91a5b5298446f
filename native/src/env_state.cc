#include "env_state.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "connection/cm_id.h"
#include "resource.h"

namespace netts {

EnvState::EnvState(Napi::Env env) : env_(env) {
  napi_get_uv_event_loop(env, &loop_);
  wake_ = new uv_async_t;
  const int status = uv_async_init(loop_, wake_, [](uv_async_t* handle) {
    auto* state = static_cast<EnvState*>(handle->data);
    std::vector<uint64_t> numbers;
    {
      std::lock_guard<std::mutex> lock(state->soon_mutex_);
      numbers.swap(state->soon_);
    }
    for (const uint64_t number : numbers) state->Dispatch(number);
  });
  if (status != 0) {
    delete std::exchange(wake_, nullptr);
    throw Napi::Error::New(env, "cannot watch for events");
  }
  wake_->data = this;
  // It does not keep the process alive.
  uv_unref(reinterpret_cast<uv_handle_t*>(wake_));
  // Runs after the finalizers of external array buffers and before those of wrapped objects, so this is
  // where the device must be told to stop: see the note in shared_memory.h.
  env.AddCleanupHook([](EnvState* state) { state->End(); }, this);
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

void EnvState::DispatchSoon(uint64_t number) {
  std::lock_guard<std::mutex> lock(soon_mutex_);
  soon_.push_back(number);
  if (wake_ != nullptr) uv_async_send(wake_);
}

void EnvState::Dispatch(uint64_t number) {
  if (ended_ || dispatcher_.IsEmpty()) return;
  // Plain Node-API with numbers only: while a worker is being terminated every call into JavaScript fails,
  // and an exception object cannot be made either.
  napi_env env = env_;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value global;
  napi_value argument;
  napi_value ignored;
  if (napi_get_global(env, &global) == napi_ok && napi_create_double(env, static_cast<double>(number), &argument) == napi_ok &&
      napi_make_callback(env, nullptr, global, dispatcher_.Value(), 1, &argument, &ignored) ==
          napi_pending_exception) {
    napi_value exception;
    if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
  }
  napi_close_handle_scope(env, scope);
}

size_t EnvState::Count(ResourceKind kind) const {
  const auto& resources = resources_[static_cast<size_t>(kind)];
  return static_cast<size_t>(std::count_if(resources.begin(), resources.end(),
                                           [](const Resource* resource) { return !resource->closed(); }));
}

Resource* EnvState::Find(ResourceKind kind, uint64_t number) const {
  for (Resource* resource : resources_[static_cast<size_t>(kind)]) {
    if (resource->number() == number && !resource->closed()) return resource;
  }
  return nullptr;
}

void EnvState::End() noexcept {
  ended_ = true;
  CloseAll();
  dispatcher_.Reset();
  std::lock_guard<std::mutex> lock(soon_mutex_);
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(wake_, nullptr)),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
}

void EnvState::CloseAll() noexcept {
  // On iWARP a connecting queue pair can be destroyed only when its request was answered. If the answer has to come
  // from this environment, it comes now: listeners and unanswered requests are closed first.
  for (const auto& id : Open(ResourceKind::kCmId)) {
    if (!static_cast<CmId*>(id.get())->HasQueuePair()) id->Close();
  }
  for (size_t kind = 0; kind < kResourceKinds; ++kind) {
    for (const auto& resource : Open(static_cast<ResourceKind>(kind))) resource->Close();
  }
}

std::vector<std::shared_ptr<Resource>> EnvState::Open(ResourceKind kind) const {
  std::vector<std::shared_ptr<Resource>> open;
  for (Resource* resource : resources_[static_cast<size_t>(kind)]) open.push_back(resource->shared_from_this());
  return open;
}

}  // namespace netts
