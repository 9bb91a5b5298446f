// The functions of an id of the connection manager for JavaScript.
#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "../objects/context.h"
#include "../util/errors.h"
#include "cm_id.h"

namespace netts {
namespace {

// Parses an IP literal. IPv6 may carry a %scope.
sockaddr_storage ParseAddress(const Napi::Value& host, const Napi::Value& port) {
  const std::string text = host.As<Napi::String>();
  const int number = port.As<Napi::Number>().Int32Value();
  sockaddr_storage out{};
  if (uv_ip4_addr(text.c_str(), number, reinterpret_cast<sockaddr_in*>(&out)) == 0) return out;
  if (uv_ip6_addr(text.c_str(), number, reinterpret_cast<sockaddr_in6*>(&out)) == 0) return out;
  throw CodedError(host.Env(), "ERR_NETTS_INVALID_ARGUMENT", "'" + text + "' is no IP address");
}

// { host, port }, or undefined while there is no address.
Napi::Value FormatAddress(Napi::Env env, const sockaddr* address) {
  char text[INET6_ADDRSTRLEN];
  uint16_t port = 0;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    if (uv_ip4_name(v4, text, sizeof(text)) != 0) return env.Undefined();
    port = ntohs(v4->sin_port);
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    if (uv_ip6_name(v6, text, sizeof(text)) != 0) return env.Undefined();
    port = ntohs(v6->sin6_port);
  } else {
    return env.Undefined();
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("host", text);
  out.Set("port", static_cast<double>(port));
  return out;
}

rdma_conn_param ParseParameters(const Napi::Object& from) {
  rdma_conn_param out{};
  const Napi::Value data = from.Get("privateData");
  if (data.IsTypedArray()) {
    // Copied by the call that takes these parameters.
    const auto bytes = data.As<Napi::Uint8Array>();
    out.private_data = bytes.Data();
    out.private_data_len = static_cast<uint8_t>(bytes.ByteLength());
  }
  const auto number = [&from](const char* name) {
    return static_cast<uint8_t>(from.Get(name).As<Napi::Number>().Uint32Value());
  };
  out.responder_resources = number("responderResources");
  out.initiator_depth = number("initiatorDepth");
  out.retry_count = number("retryCount");
  out.rnr_retry_count = number("rnrRetryCount");
  return out;
}

void Check(const Napi::CallbackInfo& info, const char* syscall, int result) {
  if (result != 0) ThrowErrno(info.Env(), syscall);
}

// createCmId(channel) → handle
Napi::Value CreateCmId(const Napi::CallbackInfo& info) {
  CmChannel& channel = Get<CmChannel>(info[0]);
  rdma_cm_id* verbs = nullptr;
  Check(info, "rdma_create_id", Rdma().create_id(channel.verbs(), &verbs, nullptr, RDMA_PS_TCP));
  return MakeHandle(info.Env(), std::make_shared<CmId>(Share(channel), verbs));
}

// nextCmEvent(id) → the oldest event not taken yet, or undefined
Napi::Value NextCmEvent(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  CmId& id = Get<CmId>(info[0]);
  id.CollectConnect();
  if (id.events.empty()) return env.Undefined();
  const CmEvent event = std::move(id.events.front());
  id.events.pop_front();
  Napi::Object out = Napi::Object::New(env);
  out.Set("type", static_cast<double>(event.type));
  out.Set("status", static_cast<double>(event.status));
  auto data = Napi::Uint8Array::New(env, event.private_data.size());
  if (!event.private_data.empty()) std::memcpy(data.Data(), event.private_data.data(), event.private_data.size());
  out.Set("privateData", data);
  out.Set("responderResources", static_cast<double>(event.responder_resources));
  out.Set("initiatorDepth", static_cast<double>(event.initiator_depth));
  if (event.request != nullptr) out.Set("request", MakeHandle(env, event.request));
  return out;
}

// Whether librdmacm still has this device: a device that was removed may have come back as another one.
bool IsPresent(const ibv_context* context) {
  int count = 0;
  ibv_context** list = Rdma().get_devices(&count);
  if (list == nullptr) return false;
  const bool present = std::find(list, list + count, context) != list + count;
  Rdma().free_devices(list);
  return present;
}

// cmDevice(id) → { name, context: the number of this environment's open context of it, or 0 },
//   or undefined while the device is not known, or when it was removed
Napi::Value CmDevice(const Napi::CallbackInfo& info) {
  CmId& id = Get<CmId>(info[0]);
  const ibv_context* verbs = id.verbs()->verbs;
  if (verbs == nullptr) return info.Env().Undefined();
  const Context* context = Context::Find(id.state(), verbs);
  if (context == nullptr && !IsPresent(verbs)) return info.Env().Undefined();
  Napi::Object out = Napi::Object::New(info.Env());
  out.Set("name", Ibv().get_device_name(verbs->device));
  out.Set("context", static_cast<double>(context == nullptr ? 0 : context->number()));
  return out;
}

Napi::Value CmLocalAddress(const Napi::CallbackInfo& info) {
  return FormatAddress(info.Env(), &Get<CmId>(info[0]).verbs()->route.addr.src_addr);
}

Napi::Value CmRemoteAddress(const Napi::CallbackInfo& info) {
  return FormatAddress(info.Env(), &Get<CmId>(info[0]).verbs()->route.addr.dst_addr);
}

// resolveAddress(id, host, port, sourceHost | undefined, sourcePort, timeoutMs)
void ResolveAddress(const Napi::CallbackInfo& info) {
  CmId& id = Get<CmId>(info[0]);
  sockaddr_storage destination = ParseAddress(info[1], info[2]);
  sockaddr_storage source{};
  const bool has_source = !info[3].IsUndefined();
  if (has_source) source = ParseAddress(info[3], info[4]);
  Check(info, "rdma_resolve_addr",
        Rdma().resolve_addr(id.verbs(), has_source ? reinterpret_cast<sockaddr*>(&source) : nullptr,
                            reinterpret_cast<sockaddr*>(&destination), info[5].As<Napi::Number>().Int32Value()));
}

// resolveRoute(id, timeoutMs)
void ResolveRoute(const Napi::CallbackInfo& info) {
  Check(info, "rdma_resolve_route",
        Rdma().resolve_route(Get<CmId>(info[0]).verbs(), info[1].As<Napi::Number>().Int32Value()));
}

// f(id, value): sets an option of one byte.
template <int kOption>
void SetByteOption(const Napi::CallbackInfo& info) {
  auto value = static_cast<uint8_t>(info[1].As<Napi::Number>().Uint32Value());
  Check(info, "rdma_set_option",
        Rdma().set_option(Get<CmId>(info[0]).verbs(), RDMA_OPTION_ID, kOption, &value, sizeof(value)));
}

// bindAddress(id, host, port)
void BindAddress(const Napi::CallbackInfo& info) {
  sockaddr_storage address = ParseAddress(info[1], info[2]);
  Check(info, "rdma_bind_addr",
        Rdma().bind_addr(Get<CmId>(info[0]).verbs(), reinterpret_cast<sockaddr*>(&address)));
}

// listen(id, backlog)
void Listen(const Napi::CallbackInfo& info) {
  Check(info, "rdma_listen",
        Rdma().listen(Get<CmId>(info[0]).verbs(), info[1].As<Napi::Number>().Int32Value()));
}

// connect(id, parameters)
void Connect(const Napi::CallbackInfo& info) {
  const int error = Get<CmId>(info[0]).Connect(ParseParameters(info[1].As<Napi::Object>()));
  if (error != 0) throw SystemError(info.Env(), "rdma_connect", error);
}

// accept(id, parameters)
void Accept(const Napi::CallbackInfo& info) {
  rdma_conn_param parameters = ParseParameters(info[1].As<Napi::Object>());
  Check(info, "rdma_accept", Rdma().accept(Get<CmId>(info[0]).verbs(), &parameters));
}

// reject(id, privateData): it is no error when the peer has gone.
void Reject(const Napi::CallbackInfo& info) {
  const auto data = info[1].As<Napi::Uint8Array>();
  Rdma().reject(Get<CmId>(info[0]).verbs(), data.ByteLength() == 0 ? nullptr : data.Data(),
                static_cast<uint8_t>(data.ByteLength()));
}

// notifyEstablished(id): a failure is ignored; it means that the manager knows already.
void NotifyEstablished(const Napi::CallbackInfo& info) {
  Rdma().notify(Get<CmId>(info[0]).verbs(), IBV_EVENT_COMM_EST);
}

// disconnect(id): a failure is ignored; it means that there is no connection.
void Disconnect(const Napi::CallbackInfo& info) {
  CmId& id = Get<CmId>(info[0]);
  if (id.GiveUp()) return;
  // librdmacm does not check whether the id has a device.
  if (id.verbs()->verbs != nullptr && Rdma().disconnect(id.verbs()) == 0) id.Disconnected();
}

// setCmRef(id, on)
void SetCmRef(const Napi::CallbackInfo& info) {
  Get<CmId>(info[0]).SetReferenced(info[1].As<Napi::Boolean>());
}

}  // namespace

void RegisterCmId(Napi::Env env, Napi::Object exports) {
  exports.Set("createCmId", Napi::Function::New(env, CreateCmId));
  exports.Set("nextCmEvent", Napi::Function::New(env, NextCmEvent));
  exports.Set("cmDevice", Napi::Function::New(env, CmDevice));
  exports.Set("cmLocalAddress", Napi::Function::New(env, CmLocalAddress));
  exports.Set("cmRemoteAddress", Napi::Function::New(env, CmRemoteAddress));
  exports.Set("resolveAddress", Napi::Function::New(env, ResolveAddress));
  exports.Set("resolveRoute", Napi::Function::New(env, ResolveRoute));
  exports.Set("setAckTimeout", Napi::Function::New(env, SetByteOption<RDMA_OPTION_ID_ACK_TIMEOUT>));
  exports.Set("setTrafficClass", Napi::Function::New(env, SetByteOption<RDMA_OPTION_ID_TOS>));
  exports.Set("bindAddress", Napi::Function::New(env, BindAddress));
  exports.Set("listen", Napi::Function::New(env, Listen));
  exports.Set("connect", Napi::Function::New(env, Connect));
  exports.Set("accept", Napi::Function::New(env, Accept));
  exports.Set("reject", Napi::Function::New(env, Reject));
  exports.Set("notifyEstablished", Napi::Function::New(env, NotifyEstablished));
  exports.Set("disconnect", Napi::Function::New(env, Disconnect));
  exports.Set("setCmRef", Napi::Function::New(env, SetCmRef));
}

}  // namespace netts
