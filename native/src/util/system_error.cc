#include "system_error.h"

#include <uv.h>

#include <string>

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

}  // namespace netts
