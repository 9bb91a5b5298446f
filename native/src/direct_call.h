// Functions that run for every batch of work: polling, arming and posting. They are plain Node-API, and JavaScript
// names their object by a number instead of a handle: reading a handle would double the time of a call.
#pragma once

#include <napi.h>

#include <array>
#include <cstdint>
#include <exception>
#include <string>

#include "resource.h"
#include "util/errors.h"

namespace netts {

// False for anything but an integer from 0 to 2^32 - 1.
inline bool ReadUint32(napi_env env, napi_value value, uint32_t* out) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0 && number <= UINT32_MAX)) return false;
  *out = static_cast<uint32_t>(number);
  return *out == number;
}

template <size_t kCount>
using Numbers = std::array<uint32_t, kCount>;

// The function of JavaScript f(id, ...numbers) → integer.
template <typename T, size_t kCount, int64_t (*kBody)(Napi::Env, T&, const Numbers<kCount>&)>
napi_value DirectCall(napi_env env, napi_callback_info info) {
  napi_value arguments[kCount + 1];
  size_t count = kCount + 1;
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, &data) != napi_ok) return nullptr;
  try {
    uint32_t id = 0;
    Numbers<kCount> numbers{};
    Resource* resource = nullptr;
    if (ReadUint32(env, arguments[0], &id)) resource = static_cast<EnvState*>(data)->callees.Find(id);
    if (resource == nullptr || resource->kind() != T::kKind) {
      throw CodedError(env, "ERR_NETTS_INVALID_STATE", std::string(T::kName) + " is closed");
    }
    for (size_t index = 0; index < kCount; ++index) {
      if (ReadUint32(env, arguments[index + 1], &numbers[index])) continue;
      throw CodedError(env, "ERR_NETTS_INVALID_ARGUMENT", "the arguments must be integers that are not negative");
    }
    napi_value out = nullptr;
    const int64_t result = kBody(env, static_cast<T&>(*resource), numbers);
    return napi_create_int64(env, result, &out) == napi_ok ? out : nullptr;
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const std::exception& exception) {
    Napi::Error::New(env, exception.what()).ThrowAsJavaScriptException();
  }
  return nullptr;
}

template <typename T, size_t kCount, int64_t (*kBody)(Napi::Env, T&, const Numbers<kCount>&)>
void SetDirectCall(Napi::Env env, Napi::Object exports, const char* name) {
  napi_value function = nullptr;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, DirectCall<T, kCount, kBody>, EnvState::Of(env).get(),
                           &function) != napi_ok) {
    throw Napi::Error::New(env, std::string("cannot make ") + name);
  }
  exports.Set(name, Napi::Value(env, function));
}

}  // namespace netts
