#include "resource.h"

#include <atomic>
#include <string>

#include "util/errors.h"

namespace netts {
namespace {

uint64_t NextNumber() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

// What a napi External points to. Empty once it was closed.
struct Handle {
  std::shared_ptr<Resource> resource;
  ResourceKind kind;
};

// Distinguishes them from externals of other addons, whose data has another type. The numbers are random.
constexpr napi_type_tag kHandleTag = {0x6d2c5f0e8b1a4937, 0xa3e7d4461c90f25b};

Handle& HandleOf(const Napi::Value& value) {
  bool ours = false;
  if (!value.IsExternal() ||
      napi_check_object_type_tag(value.Env(), value, &kHandleTag, &ours) != napi_ok || !ours) {
    throw Napi::TypeError::New(value.Env(), "not a handle of the verbs addon");
  }
  return *value.As<Napi::External<Handle>>().Data();
}

// Whether closing the handle destroys the object at once. The others are shared by the objects that were made from
// them, and destroyed with the last of these.
bool ClosesAtOnce(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::kQueuePair:
    case ResourceKind::kMemoryRegion:
    case ResourceKind::kMemoryWindow:
    case ResourceKind::kCmId:
      return true;
    default:
      return false;
  }
}

// close(handle): idempotent.
void CloseHandle(const Napi::CallbackInfo& info) {
  Handle& handle = HandleOf(info[0]);
  const std::shared_ptr<Resource> resource = std::move(handle.resource);
  handle.resource.reset();
  if (resource != nullptr && ClosesAtOnce(resource->kind())) resource->Close();
}

// setDispatcher(function)
void SetDispatcher(const Napi::CallbackInfo& info) {
  EnvState::Of(info.Env())->SetDispatcher(info[0].As<Napi::Function>());
}

// closeAll()
void CloseAll(const Napi::CallbackInfo& info) { EnvState::Of(info.Env())->CloseAll(); }

// counts() → how many are open, in the order of ResourceKind
Napi::Value Counts(const Napi::CallbackInfo& info) {
  const EnvState& state = *EnvState::Of(info.Env());
  Napi::Array out = Napi::Array::New(info.Env(), kResourceKinds);
  for (uint32_t kind = 0; kind < kResourceKinds; ++kind) {
    out.Set(kind, static_cast<double>(state.Count(static_cast<ResourceKind>(kind))));
  }
  return out;
}

}  // namespace

Resource::Resource(std::shared_ptr<EnvState> state, ResourceKind kind)
    : state_(std::move(state)), kind_(kind), number_(NextNumber()) {
  state_->Add(this);
}

Resource::~Resource() { state_->Remove(this); }

bool Resource::AcceptCalls() {
  call_id_ = state_->callees.Add(this);
  return call_id_ != 0;
}

void Resource::RefuseCalls() {
  if (call_id_ != 0) state_->callees.Remove(call_id_);
  call_id_ = 0;
}

Napi::Value MakeHandle(Napi::Env env, std::shared_ptr<Resource> resource) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("number", static_cast<double>(resource->number()));
  out.Set("callId", static_cast<double>(resource->call_id()));
  const ResourceKind kind = resource->kind();
  auto handle = std::unique_ptr<Handle>(new Handle{std::move(resource), kind});
  const auto external =
      Napi::External<Handle>::New(env, handle.get(), [](Napi::Env, Handle* dropped) { delete dropped; });
  // Owned by JavaScript from here on. The calls before fail in a worker that is being terminated.
  handle.release();
  if (napi_type_tag_object(env, external, &kHandleTag) != napi_ok) throw Napi::Error::New(env, "cannot tag a handle");
  out.Set("handle", external);
  return out;
}

Resource& ResourceOf(const Napi::Value& value, ResourceKind kind, const char* name) {
  Handle& handle = HandleOf(value);
  if (handle.kind != kind) throw Napi::TypeError::New(value.Env(), "a handle of another kind");
  if (handle.resource == nullptr || handle.resource->closed()) {
    throw CodedError(value.Env(), "ERR_NETTS_INVALID_STATE", std::string(name) + " is closed");
  }
  return *handle.resource;
}

void RegisterResource(Napi::Env env, Napi::Object exports) {
  exports.Set("close", Napi::Function::New(env, CloseHandle));
  exports.Set("closeAll", Napi::Function::New(env, CloseAll));
  exports.Set("setDispatcher", Napi::Function::New(env, SetDispatcher));
  exports.Set("counts", Napi::Function::New(env, Counts));
}

}  // namespace netts
