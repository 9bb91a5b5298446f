// The entry points of libibverbs and librdmacm, resolved at run time, so that the addon loads on machines
// without rdma-core and no `ibv_*` or `rdma_*` symbol is left undefined in the binary.
//
// The types are those of the real headers: `decltype(&::ibv_xxx)`. What verbs.h implements inline through
// `context->ops` (posting, polling, arming, memory windows) needs no entry here and is called by its name.
#pragma once

#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>

#include <string>

namespace netts {

// Some of these names are also function-like macros in verbs.h; hence the bare suffixes.
#define NETTS_IBVERBS_SYMBOLS(X) \
  X(get_device_list)             \
  X(free_device_list)            \
  X(get_device_name)             \
  X(get_device_guid)             \
  X(open_device)                 \
  X(close_device)                \
  X(query_device)                \
  X(query_port)                  \
  X(query_gid)                   \
  X(alloc_pd)                    \
  X(dealloc_pd)                  \
  X(reg_mr)                      \
  X(dereg_mr)                    \
  X(create_comp_channel)         \
  X(destroy_comp_channel)        \
  X(create_cq)                   \
  X(destroy_cq)                  \
  X(get_cq_event)                \
  X(ack_cq_events)               \
  X(create_srq)                  \
  X(modify_srq)                  \
  X(destroy_srq)                 \
  X(create_qp)                   \
  X(modify_qp)                   \
  X(query_qp)                    \
  X(destroy_qp)                  \
  X(get_async_event)             \
  X(ack_async_event)             \
  X(event_type_str)              \
  X(wc_status_str)               \
  X(fork_init)

#define NETTS_RDMACM_SYMBOLS(X) \
  X(create_event_channel)       \
  X(destroy_event_channel)      \
  X(get_cm_event)               \
  X(ack_cm_event)               \
  X(event_str)                  \
  X(create_id)                  \
  X(destroy_id)                 \
  X(bind_addr)                  \
  X(listen)                     \
  X(resolve_addr)               \
  X(resolve_route)              \
  X(connect)                    \
  X(accept)                     \
  X(reject)                     \
  X(disconnect)                 \
  X(notify)                     \
  X(create_qp)                  \
  X(destroy_qp)                 \
  X(set_option)                 \
  X(get_devices)                \
  X(free_devices)

struct IbverbsApi {
#define NETTS_DECLARE(name) decltype(&::ibv_##name) name = nullptr;
  NETTS_IBVERBS_SYMBOLS(NETTS_DECLARE)
#undef NETTS_DECLARE
};

struct RdmacmApi {
#define NETTS_DECLARE(name) decltype(&::rdma_##name) name = nullptr;
  NETTS_RDMACM_SYMBOLS(NETTS_DECLARE)
#undef NETTS_DECLARE
};

// The outcome of loading both libraries. `error` is empty on success.
struct LoadResult {
  bool loaded = false;
  std::string error;
};

// Loads both libraries once per process; later calls return the first outcome. Nothing is ever unloaded,
// because providers keep threads and state. NETTS_IBVERBS_LIB and NETTS_RDMACM_LIB name other files.
const LoadResult& LoadLibraries();

// The tables. Only valid once LoadLibraries() reported success.
const IbverbsApi& Ibv();
const RdmacmApi& Rdma();

// ibv_query_port is an inline function that falls back to the exported symbol; this is the same through
// the table. Returns 0 or an errno.
int QueryPort(ibv_context* context, uint8_t port, ibv_port_attr* attributes);

}  // namespace netts
