// What this machine has for RDMA, without keeping anything open: the facts behind rdmaAvailability().
#pragma once

#include <napi.h>

namespace netts {

void RegisterProbe(Napi::Env env, Napi::Object exports);

}  // namespace netts
