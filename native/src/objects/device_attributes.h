// Device and port attributes as plain JavaScript objects.
#pragma once

#include <napi.h>

#include "../loader/verbs_api.h"

namespace netts {

// Windows that are bound and invalidated by work requests, in either variant.
constexpr unsigned kMemoryWindowType2 = IBV_DEVICE_MEM_WINDOW_TYPE_2A | IBV_DEVICE_MEM_WINDOW_TYPE_2B;

// The attributes of an open device and of its ports.
Napi::Object DescribeDevice(Napi::Env env, ibv_context* context, const ibv_device_attr& attributes);

}  // namespace netts
