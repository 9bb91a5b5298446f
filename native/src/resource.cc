#include "resource.h"

#include <atomic>
#include <utility>

namespace netts {

double Resource::NextNumber() {
  static std::atomic<uint64_t> last{0};
  return static_cast<double>(++last);
}

Napi::Value MakeHandle(Napi::Env env, std::shared_ptr<Resource> resource) {
  auto* reference = new std::shared_ptr<Resource>(std::move(resource));
  return Napi::External<std::shared_ptr<Resource>>::New(
      env, reference, [](Napi::Env, std::shared_ptr<Resource>* dropped) { delete dropped; });
}

std::shared_ptr<Resource> ResourceOf(const Napi::Value& value, ResourceKind kind) {
  if (!value.IsExternal()) throw Napi::TypeError::New(value.Env(), "not a handle of the verbs addon");
  auto* reference = value.As<Napi::External<std::shared_ptr<Resource>>>().Data();
  if ((*reference)->kind() != kind) throw Napi::TypeError::New(value.Env(), "a handle of another kind");
  return *reference;
}

}  // namespace netts
