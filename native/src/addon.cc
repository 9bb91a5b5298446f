// The entry point: one EnvState per environment, and every function that the TypeScript side calls.
#include <napi.h>

#include <memory>

#include "connection/cm_channel.h"
#include "connection/cm_id.h"
#include "env_state.h"
#include "layout.h"
#include "loader/probe.h"
#include "objects/completion_channel.h"
#include "objects/completion_queue.h"
#include "objects/context.h"
#include "objects/memory_region.h"
#include "objects/memory_window.h"
#include "objects/protection_domain.h"
#include "objects/queue_pair.h"
#include "objects/shared_receive_queue.h"
#include "resource.h"

namespace netts {
namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new std::shared_ptr<EnvState>(std::make_shared<EnvState>(env)));
  RegisterProbe(env, exports);
  RegisterResource(env, exports);
  RegisterContext(env, exports);
  RegisterProtectionDomain(env, exports);
  RegisterMemoryRegion(env, exports);
  RegisterMemoryWindow(env, exports);
  RegisterCompletionChannel(env, exports);
  RegisterCompletionQueue(env, exports);
  RegisterSharedReceiveQueue(env, exports);
  RegisterQueuePair(env, exports);
  RegisterCmChannel(env, exports);
  RegisterCmId(env, exports);
  exports.Set("layout", DescribeLayout(env));
  return exports;
}

}  // namespace
}  // namespace netts

static Napi::Object Init(Napi::Env env, Napi::Object exports) { return netts::Init(env, exports); }
NODE_API_MODULE(netts_verbs, Init)
