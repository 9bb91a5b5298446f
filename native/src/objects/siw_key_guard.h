// Works around a defect of Soft-iWARP (siw), which the kernel's siw-abi.h and rdma-core's provider both have.
//
// A queue is mapped by a key, which is its offset among the queues of the context, and the key 0x90000
// (SIW_INVAL_UOBJ_KEY) means "no key". So a queue at that offset, after 144 pages of other queues, cannot be created,
// and the next attempt gets the same key. While a large queue covers that offset, no other queue gets it.
#pragma once

#include "../loader/verbs_api.h"

namespace netts {

class SiwKeyGuard {
 public:
  // Makes the covering queue when the device is siw and nobody else in the process made it yet.
  SiwKeyGuard(ibv_context* context, const ibv_device_attr& attributes);
  ~SiwKeyGuard();
  SiwKeyGuard(const SiwKeyGuard&) = delete;
  SiwKeyGuard& operator=(const SiwKeyGuard&) = delete;

 private:
  // nullptr when there is nothing to guard.
  ibv_context* context_ = nullptr;
};

}  // namespace netts
