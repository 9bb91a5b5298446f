// Device and port attributes as plain JavaScript objects.
#pragma once

#include <napi.h>

#include "../loader/verbs_api.h"

namespace netts {

// The attributes of an open device and of its ports.
Napi::Object DescribeDevice(Napi::Env env, ibv_context* context, const ibv_device_attr& attributes);

}  // namespace netts
