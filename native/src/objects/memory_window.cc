#include "memory_window.h"

#include <cerrno>

#include "../util/errors.h"
#include "memory_region.h"

namespace netts {

void MemoryWindow::Close() noexcept {
  if (window_ == nullptr) return;
  state().windows.Remove(id_);
  ibv_dealloc_mw(window_);
  window_ = nullptr;
  domain_.reset();
  MemoryRegion::CloseLeftovers(state());
}

namespace {

// allocateMemoryWindow(domain) → { handle, number, id, remoteKey }
Napi::Value AllocateMemoryWindow(const Napi::CallbackInfo& info) {
  ProtectionDomain& domain = Get<ProtectionDomain>(info[0]);
  if (domain.verbs()->context->ops.alloc_mw == nullptr) {
    throw SystemError(info.Env(), "ibv_alloc_mw", EOPNOTSUPP);
  }
  ibv_mw* verbs = ibv_alloc_mw(domain.verbs(), IBV_MW_TYPE_2);
  if (verbs == nullptr) ThrowErrno(info.Env(), "ibv_alloc_mw");
  auto window = std::make_shared<MemoryWindow>(Share(domain), verbs);
  if (window->id() == 0) throw SystemError(info.Env(), "ibv_alloc_mw", ENOSPC);
  Napi::Object out = MakeHandle(info.Env(), window).As<Napi::Object>();
  out.Set("id", static_cast<double>(window->id()));
  out.Set("remoteKey", static_cast<double>(verbs->rkey));
  return out;
}

}  // namespace

void RegisterMemoryWindow(Napi::Env env, Napi::Object exports) {
  exports.Set("allocateMemoryWindow", Napi::Function::New(env, AllocateMemoryWindow));
}

}  // namespace netts
