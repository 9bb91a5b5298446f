#include "protection_domain.h"

#include <cerrno>

#include "../util/errors.h"

namespace netts {

void ProtectionDomain::Close() noexcept {
  if (domain_ != nullptr) Ibv().dealloc_pd(domain_);
  domain_ = nullptr;
  context_.reset();
}

namespace {

// allocateProtectionDomain(context) → handle
Napi::Value AllocateProtectionDomain(const Napi::CallbackInfo& info) {
  Context& context = Get<Context>(info[0]);
  ibv_pd* domain = Ibv().alloc_pd(context.verbs());
  if (domain == nullptr) ThrowErrno(info.Env(), "ibv_alloc_pd");
  return MakeHandle(info.Env(), std::make_shared<ProtectionDomain>(Share(context), domain));
}

}  // namespace

void RegisterProtectionDomain(Napi::Env env, Napi::Object exports) {
  exports.Set("allocateProtectionDomain", Napi::Function::New(env, AllocateProtectionDomain));
}

}  // namespace netts
