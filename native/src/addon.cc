// The entry point: one EnvState per environment, and every function that the TypeScript side calls.
#include <napi.h>

#include <memory>

#include "env_state.h"
#include "loader/probe.h"
#include "objects/context.h"

namespace netts {
namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new std::shared_ptr<EnvState>(std::make_shared<EnvState>(env)));
  RegisterProbe(env, exports);
  RegisterContext(env, exports);
  return exports;
}

}  // namespace
}  // namespace netts

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return netts::Init(env, exports); }
NODE_API_MODULE(netts_verbs, Init)
