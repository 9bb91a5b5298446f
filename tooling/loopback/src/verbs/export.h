// What every file here has in common: functions under the names and with the types of rdma-core's headers, so that a
// program can't tell this library from libibverbs and librdmacm.
#pragma once

#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>

#include <cerrno>

#include "../device/context.h"
#include "../device/engine.h"

#define NETTS_EXPORT extern "C" __attribute__((visibility("default")))

namespace loopback {

// For functions that return -1 and set errno.
inline int WithErrno(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

// For functions that return nullptr and set errno.
template <typename T>
T* NullWithErrno(int error) {
  errno = error;
  return nullptr;
}

inline bool IsRemoved(ibv_context* context) { return ContextOf(context).is_removed(); }

}  // namespace loopback
