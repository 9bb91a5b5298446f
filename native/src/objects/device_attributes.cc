#include "device_attributes.h"

#include <cinttypes>
#include <cstdio>

namespace netts {
namespace {

Napi::Object DescribePort(Napi::Env env, uint8_t number, const ibv_port_attr& port) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("number", static_cast<double>(number));
  out.Set("active", port.state == IBV_PORT_ACTIVE);
  out.Set("state", static_cast<double>(port.state));
  // The enumeration counts 256, 512, 1024, 2048, 4096 from 1.
  out.Set("activeMtu", static_cast<double>(port.active_mtu == 0 ? 0 : 128 << port.active_mtu));
  out.Set("maxMessageSize", static_cast<double>(port.max_msg_sz));
  out.Set("linkLayer", port.link_layer == IBV_LINK_LAYER_ETHERNET ? "ethernet" : "infiniband");
  out.Set("gidTableLength", static_cast<double>(port.gid_tbl_len));
  return out;
}

}  // namespace

Napi::Object DescribeDevice(Napi::Env env, ibv_context* context, const ibv_device_attr& attributes) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("name", Ibv().get_device_name(context->device));
  char guid[17];
  std::snprintf(guid, sizeof(guid), "%016" PRIx64, be64toh(Ibv().get_device_guid(context->device)));
  out.Set("guid", guid);
  out.Set("transport", context->device->transport_type == IBV_TRANSPORT_IWARP ? "iwarp" : "infiniband");
  out.Set("firmwareVersion", attributes.fw_ver);
  out.Set("maxQueuePairs", static_cast<double>(attributes.max_qp));
  out.Set("maxWorkRequests", static_cast<double>(attributes.max_qp_wr));
  out.Set("maxGatherEntries", static_cast<double>(attributes.max_sge));
  out.Set("maxCompletionQueues", static_cast<double>(attributes.max_cq));
  out.Set("maxCompletionQueueEntries", static_cast<double>(attributes.max_cqe));
  out.Set("maxMemoryRegions", static_cast<double>(attributes.max_mr));
  out.Set("maxMemoryRegionSize", static_cast<double>(attributes.max_mr_size));
  out.Set("maxProtectionDomains", static_cast<double>(attributes.max_pd));
  out.Set("maxMemoryWindows", static_cast<double>(attributes.max_mw));
  out.Set("maxSharedReceiveQueues", static_cast<double>(attributes.max_srq));
  out.Set("maxSharedReceiveWorkRequests", static_cast<double>(attributes.max_srq_wr));
  out.Set("maxReadsAsResponder", static_cast<double>(attributes.max_qp_rd_atom));
  out.Set("maxReadsAsInitiator", static_cast<double>(attributes.max_qp_init_rd_atom));
  out.Set("atomics", attributes.atomic_cap != IBV_ATOMIC_NONE);
  out.Set("memoryWindowType2",
          (attributes.device_cap_flags & (IBV_DEVICE_MEM_WINDOW_TYPE_2A | IBV_DEVICE_MEM_WINDOW_TYPE_2B)) != 0);
  Napi::Array ports = Napi::Array::New(env);
  for (uint8_t number = 1; number <= attributes.phys_port_cnt; ++number) {
    ibv_port_attr port;
    if (QueryPort(context, number, &port) == 0) ports.Set(ports.Length(), DescribePort(env, number, port));
  }
  out.Set("ports", ports);
  return out;
}

}  // namespace netts
