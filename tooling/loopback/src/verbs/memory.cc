// libibverbs: protection domains and memory regions.
#include "../device/memory_keys.h"
#include "export.h"

using namespace loopback;

NETTS_EXPORT ibv_pd* ibv_alloc_pd(ibv_context* context) {
  Engine::Entered engine;
  if (IsRemoved(context)) return NullWithErrno<ibv_pd>(EIO);
  auto* domain = new ibv_pd{};
  domain->context = context;
  return domain;
}

NETTS_EXPORT int ibv_dealloc_pd(ibv_pd* domain) {
  delete domain;
  return 0;
}

#undef ibv_reg_mr
NETTS_EXPORT ibv_mr* ibv_reg_mr(ibv_pd* domain, void* address, size_t byte_length, int access) {
  Engine::Entered engine;
  if (IsRemoved(domain->context)) return NullWithErrno<ibv_mr>(EIO);
  const bool changes = (access & (IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC)) != 0;
  if (byte_length == 0 || (changes && (access & IBV_ACCESS_LOCAL_WRITE) == 0)) return NullWithErrno<ibv_mr>(EINVAL);
  auto* region = new ibv_mr{};
  region->context = domain->context;
  region->pd = domain;
  region->addr = address;
  region->length = byte_length;
  region->lkey = region->rkey =
      MemoryKeys::Get().AddRegion(domain, reinterpret_cast<uint64_t>(address), byte_length, access);
  return region;
}

NETTS_EXPORT int ibv_dereg_mr(ibv_mr* region) {
  Engine::Entered engine;
  // As rdma-core does: the kernel gave it up with the device, and the object stays with its owner.
  if (IsRemoved(region->context)) return EIO;
  const int error = MemoryKeys::Get().Remove(region->lkey);
  if (error == 0) delete region;
  return error;
}
