// JavaScript errors for failed verbs calls, in the shape of Node.js's own system errors.
#pragma once

#include <napi.h>

namespace netts {

// An error with `errno` (positive, as the manual pages have it), `code` (such as `ENOMEM`) and `syscall`.
Napi::Error SystemError(Napi::Env env, const char* syscall, int error_number);

}  // namespace netts
