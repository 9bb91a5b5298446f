#include "device_attributes.h"

#include <arpa/inet.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <limits>

#include "../util/errors.h"

namespace netts {
namespace {

Napi::Object DescribePort(Napi::Env env, uint8_t number, const ibv_port_attr& port) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("number", static_cast<double>(number));
  out.Set("state", static_cast<double>(port.state));
  out.Set("linkLayer", static_cast<double>(port.link_layer));
  out.Set("activeMtuBytes", static_cast<double>(MtuBytes(port.active_mtu)));
  out.Set("maxMessageBytes", static_cast<double>(port.max_msg_sz));
  return out;
}

}  // namespace

Napi::Array DescribeGids(Napi::Env env, ibv_context* context, const ibv_device_attr& attributes) {
  Napi::Array out = Napi::Array::New(env);
  for (unsigned number = 1; number <= attributes.phys_port_cnt; ++number) {
    const auto port_number = static_cast<uint8_t>(number);
    ibv_port_attr port;
    const int error = Errno(QueryPort(context, port_number, &port));
    if (error != 0) throw SystemError(env, "ibv_query_port", error);
    for (int index = 0; index < port.gid_tbl_len; ++index) {
      ibv_gid gid{};
      constexpr ibv_gid kNone{};
      // Some providers fail for an entry that is not in use.
      if (Ibv().query_gid(context, port_number, index, &gid) != 0) continue;
      if (std::memcmp(&gid, &kNone, sizeof(gid)) == 0) continue;
      char address[INET6_ADDRSTRLEN];
      inet_ntop(AF_INET6, gid.raw, address, sizeof(address));
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("portNumber", static_cast<double>(number));
      entry.Set("index", static_cast<double>(index));
      entry.Set("address", address);
      out.Set(out.Length(), entry);
    }
  }
  return out;
}

Napi::Object DescribeDevice(Napi::Env env, ibv_context* context, const ibv_device_attr& attributes) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("name", Ibv().get_device_name(context->device));
  char guid[17];
  std::snprintf(guid, sizeof(guid), "%016" PRIx64, be64toh(Ibv().get_device_guid(context->device)));
  out.Set("guid", guid);
  out.Set("iwarp", context->device->transport_type == IBV_TRANSPORT_IWARP);
  out.Set("atomics", attributes.atomic_cap != IBV_ATOMIC_NONE);
  out.Set("memoryWindowType2", (attributes.device_cap_flags & kMemoryWindowType2) != 0);
  out.Set("sendWithInvalidate", (attributes.device_cap_flags & IBV_DEVICE_MEM_MGT_EXTENSIONS) != 0);
  out.Set("firmwareVersion", attributes.fw_ver);
  const auto set = [&out](const char* name, double value) { out.Set(name, value); };
  set("vendorId", attributes.vendor_id);
  set("vendorPartId", attributes.vendor_part_id);
  set("maxQueuePairs", attributes.max_qp);
  set("maxWorkRequests", attributes.max_qp_wr);
  set("maxEntries", attributes.max_sge);
  set("maxCompletionQueues", attributes.max_cq);
  set("maxCompletions", attributes.max_cqe);
  set("completionVectors", context->num_comp_vectors);
  set("maxMemoryRegions", attributes.max_mr);
  set("maxRegionBytes", attributes.max_mr_size == UINT64_MAX ? std::numeric_limits<double>::infinity()
                                                             : static_cast<double>(attributes.max_mr_size));
  set("maxProtectionDomains", attributes.max_pd);
  set("maxResponderResources", attributes.max_qp_rd_atom);
  set("maxInitiatorDepth", attributes.max_qp_init_rd_atom);
  set("maxMemoryWindows", attributes.max_mw);
  set("maxSharedReceiveQueues", attributes.max_srq);
  set("maxSharedReceiveWorkRequests", attributes.max_srq_wr);
  set("maxSharedReceiveEntries", attributes.max_srq_sge);
  Napi::Array ports = Napi::Array::New(env);
  for (unsigned number = 1; number <= attributes.phys_port_cnt; ++number) {
    const auto port_number = static_cast<uint8_t>(number);
    ibv_port_attr port;
    if (QueryPort(context, port_number, &port) == 0) ports.Set(ports.Length(), DescribePort(env, port_number, port));
  }
  out.Set("ports", ports);
  return out;
}

}  // namespace netts
