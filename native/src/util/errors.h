// The two kinds of JavaScript errors that the addon throws. lib/addon/failures.ts makes NettsErrors of them.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

namespace netts {

// A verbs call failed: `errno` (positive, as the manual pages have it), `code` (such as `ENOMEM`), `syscall`.
Napi::Error SystemError(Napi::Env env, const char* syscall, int error_number);

// Throws the error for `errno`. `errno` is read first: with clang, `throw` allocates the exception before it evaluates
// its operand, and that may change `errno`.
[[noreturn]] void ThrowErrno(Napi::Env env, const char* syscall);

// The result of a verbs call as a positive errno: some providers (siw) return it negative.
inline int Errno(int result) { return result < 0 ? -result : result; }

// The program made a mistake: `code` is that of the NettsError.
Napi::Error CodedError(Napi::Env env, const char* code, const std::string& message);

// @throws ERR_NETTS_INVALID_ARGUMENT for 0
void RequirePositive(Napi::Env env, const char* name, uint32_t value);

}  // namespace netts
