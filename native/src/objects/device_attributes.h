// Device and port attributes as plain JavaScript objects.
#pragma once

#include <napi.h>

#include "../loader/verbs_api.h"

namespace netts {

// Windows that are bound and invalidated by work requests, in either variant.
constexpr unsigned kMemoryWindowType2 = IBV_DEVICE_MEM_WINDOW_TYPE_2A | IBV_DEVICE_MEM_WINDOW_TYPE_2B;

// The enumeration counts 256, 512, 1024, 2048, 4096 from 1; 0 is none.
inline unsigned MtuBytes(ibv_mtu mtu) { return mtu == 0 ? 0 : 128u << mtu; }

// The entries of the GID tables of all ports that are not zero: { portNumber, index, address }. Throws.
Napi::Array DescribeGids(Napi::Env env, ibv_context* context, const ibv_device_attr& attributes);
// The attributes of an open device and of its ports.
Napi::Object DescribeDevice(Napi::Env env, ibv_context* context, const ibv_device_attr& attributes);

}  // namespace netts
