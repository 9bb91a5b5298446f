// Loading of libibverbs and librdmacm through libuv, whose dlopen wrappers every Node.js binary exports:
// the addon then depends on no symbol version newer than libuv's own.
#include "verbs_api.h"

#include <uv.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace netts {
namespace {

IbverbsApi ibverbs_table;
RdmacmApi rdmacm_table;
LoadResult load_result;
std::once_flag load_once;

// The libraries stay open for the life of the process, and so do these handles.
uv_lib_t ibverbs_library;
uv_lib_t rdmacm_library;

bool Open(uv_lib_t* library, const char* variable, const char* default_name, std::string* error) {
  const char* chosen = std::getenv(variable);
  const char* name = chosen != nullptr && *chosen != '\0' ? chosen : default_name;
  if (uv_dlopen(name, library) == 0) return true;
  *error = uv_dlerror(library);
  uv_dlclose(library);
  return false;
}

template <typename Function>
bool Resolve(uv_lib_t* library, const char* name, Function* out, std::string* error) {
  void* address = nullptr;
  if (uv_dlsym(library, name, &address) != 0 || address == nullptr) {
    *error = std::string("the library does not export ") + name + ": " + uv_dlerror(library);
    return false;
  }
  static_assert(sizeof(*out) == sizeof(address), "a function pointer has the size of an object pointer");
  std::memcpy(out, &address, sizeof(address));
  return true;
}

bool ResolveAll(std::string* error) {
#define NETTS_RESOLVE(symbol) \
  if (!Resolve(&ibverbs_library, "ibv_" #symbol, &ibverbs_table.symbol, error)) return false;
  NETTS_IBVERBS_SYMBOLS(NETTS_RESOLVE)
#undef NETTS_RESOLVE
#define NETTS_RESOLVE(symbol) \
  if (!Resolve(&rdmacm_library, "rdma_" #symbol, &rdmacm_table.symbol, error)) return false;
  NETTS_RDMACM_SYMBOLS(NETTS_RESOLVE)
#undef NETTS_RESOLVE
  return true;
}

void Load() {
  if (!Open(&ibverbs_library, "NETTS_IBVERBS_LIB", "libibverbs.so.1", &load_result.error)) return;
  if (!Open(&rdmacm_library, "NETTS_RDMACM_LIB", "librdmacm.so.1", &load_result.error)) return;
  if (!ResolveAll(&load_result.error)) return;
  // Keeps queues that providers map out of children on kernels that still share pinned pages with a fork;
  // a failure means that the kernel needs no such care or is too old to offer it.
  ibverbs_table.fork_init();
  load_result.loaded = true;
}

}  // namespace

const LoadResult& LoadLibraries() {
  std::call_once(load_once, Load);
  return load_result;
}

const IbverbsApi& Ibv() { return ibverbs_table; }
const RdmacmApi& Rdma() { return rdmacm_table; }

int QueryPort(ibv_context* context, uint8_t port, ibv_port_attr* attributes) {
  std::memset(attributes, 0, sizeof(*attributes));
  verbs_context* extended = verbs_get_ctx_op(context, query_port);
  if (extended != nullptr) return extended->query_port(context, port, attributes, sizeof(*attributes));
  return ibverbs_table.query_port(context, port, reinterpret_cast<_compat_ibv_port_attr*>(attributes));
}

}  // namespace netts
