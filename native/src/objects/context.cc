#include "context.h"

#include <cerrno>

#include "../util/errors.h"
#include "device_attributes.h"

namespace netts {

std::shared_ptr<Context> Context::OpenByName(const std::shared_ptr<EnvState>& state, const std::string& name) {
  std::shared_ptr<Context> context(new Context(state));
  int count = 0;
  context->list_ = Rdma().get_devices(&count);
  if (context->list_ == nullptr) return nullptr;
  for (int index = 0; index < count; ++index) {
    ibv_context* candidate = context->list_[index];
    if (name == Ibv().get_device_name(candidate->device)) context->verbs_ = candidate;
  }
  if (context->verbs_ == nullptr) {
    context->Close();
    errno = ENODEV;
    return nullptr;
  }
  int error = Ibv().query_device(context->verbs_, &context->attributes_);
  if (error == 0) {
    context->guard_ = std::make_unique<SiwKeyGuard>(context->verbs_, context->attributes_);
    context->events_ = std::make_unique<AsyncEvents>(*context);
    error = -context->events_->Watch();
  }
  if (error == 0) return context;
  context->Close();
  errno = error;
  return nullptr;
}

void Context::Close() noexcept {
  events_.reset();
  guard_.reset();
  verbs_ = nullptr;
  if (list_ == nullptr) return;
  Rdma().free_devices(list_);
  list_ = nullptr;
  if (!removed_) return;
  // librdmacm closes the contexts of removed devices when it lists the devices again (sync_devices_list() in its
  // cma.c). Until then the kernel does not finish the removal of a device that cannot be taken from its users, as soft
  // ones.
  int count = 0;
  ibv_context** present = Rdma().get_devices(&count);
  if (present != nullptr) Rdma().free_devices(present);
}

Context* Context::Find(const EnvState& state, const ibv_context* verbs) {
  for (const auto& resource : state.Open(ResourceKind::kContext)) {
    auto* context = static_cast<Context*>(resource.get());
    if (!context->closed() && context->verbs() == verbs) return context;
  }
  return nullptr;
}

namespace {

Napi::Value OpenContext(const Napi::CallbackInfo& info) {
  auto context = Context::OpenByName(EnvState::Of(info.Env()), info[0].As<Napi::String>());
  if (context == nullptr) ThrowErrno(info.Env(), "rdma_get_devices");
  return MakeHandle(info.Env(), context);
}

Napi::Value ContextAttributes(const Napi::CallbackInfo& info) {
  Context& context = Get<Context>(info[0]);
  return DescribeDevice(info.Env(), context.verbs(), context.attributes());
}

// gids(context) → the entries of its GID tables
Napi::Value Gids(const Napi::CallbackInfo& info) {
  Context& context = Get<Context>(info[0]);
  return DescribeGids(info.Env(), context.verbs(), context.attributes());
}

// nextDeviceEvent(context) → { type, number, portNumber }, or undefined
Napi::Value NextDeviceEvent(const Napi::CallbackInfo& info) {
  DeviceEvent event{};
  if (!Get<Context>(info[0]).events().Next(&event)) return info.Env().Undefined();
  Napi::Object out = Napi::Object::New(info.Env());
  out.Set("type", static_cast<double>(event.type));
  out.Set("number", static_cast<double>(event.number));
  out.Set("portNumber", static_cast<double>(event.port));
  return out;
}

}  // namespace

void RegisterContext(Napi::Env env, Napi::Object exports) {
  exports.Set("openContext", Napi::Function::New(env, OpenContext));
  exports.Set("gids", Napi::Function::New(env, Gids));
  exports.Set("nextDeviceEvent", Napi::Function::New(env, NextDeviceEvent));
  exports.Set("contextAttributes", Napi::Function::New(env, ContextAttributes));
}

}  // namespace netts
