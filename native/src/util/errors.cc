#include "errors.h"

#include <uv.h>

#include <cerrno>

namespace netts {

Napi::Error SystemError(Napi::Env env, const char* syscall, int error_number) {
  char code[64];
  char text[128];
  uv_err_name_r(-error_number, code, sizeof(code));
  uv_strerror_r(-error_number, text, sizeof(text));
  Napi::Error error = Napi::Error::New(env, std::string(syscall) + ": " + code + ", " + text);
  error.Set("errno", Napi::Number::New(env, error_number));
  error.Set("code", Napi::String::New(env, code));
  error.Set("syscall", Napi::String::New(env, syscall));
  return error;
}

void ThrowErrno(Napi::Env env, const char* syscall) {
  const int error = errno;
  throw SystemError(env, syscall, error);
}

Napi::Error CodedError(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

void RequirePositive(Napi::Env env, const char* name, uint32_t value) {
  if (value == 0) throw CodedError(env, "ERR_NETTS_INVALID_ARGUMENT", std::string(name) + " must be at least 1");
}

}  // namespace netts
