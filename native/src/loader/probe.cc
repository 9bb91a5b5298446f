#include "probe.h"

#include <sys/mman.h>

#include <cerrno>

#include "../objects/device_attributes.h"
#include "verbs_api.h"

namespace netts {
namespace {

// The errno with which pinning this many bytes fails on the device, or 0. Only trying tells: the limit is
// the process's, what is pinned already counts, and CAP_IPC_LOCK lifts it.
int TryToPin(ibv_context* context, size_t byte_length) {
  ibv_pd* domain = Ibv().alloc_pd(context);
  if (domain == nullptr) return errno;
  int error = 0;
  void* memory = mmap(nullptr, byte_length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    error = errno;
  } else {
    ibv_mr* region = Ibv().reg_mr(domain, memory, byte_length, IBV_ACCESS_LOCAL_WRITE);
    if (region == nullptr) {
      error = errno;
    } else {
      Ibv().dereg_mr(region);
    }
    munmap(memory, byte_length);
  }
  Ibv().dealloc_pd(domain);
  return error;
}

// probe(pinBytes) → facts. `pinBytes` 0 tries no registration.
Napi::Value Probe(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const double pin_bytes = info[0].As<Napi::Number>().DoubleValue();
  Napi::Object out = Napi::Object::New(env);

  const LoadResult& libraries = LoadLibraries();
  out.Set("librariesLoaded", libraries.loaded);
  out.Set("libraryError", libraries.error);
  if (!libraries.loaded) return out;

  int count = 0;
  errno = 0;
  ibv_device** devices = Ibv().get_device_list(&count);
  out.Set("deviceListErrno", static_cast<double>(devices == nullptr ? errno : 0));
  Napi::Array list = Napi::Array::New(env);
  out.Set("devices", list);
  out.Set("pinErrno", 0.0);
  for (int index = 0; devices != nullptr && index < count; ++index) {
    ibv_context* context = Ibv().open_device(devices[index]);
    if (context == nullptr) {
      out.Set("openErrno", static_cast<double>(errno));
      out.Set("openDevice", Ibv().get_device_name(devices[index]));
      continue;
    }
    ibv_device_attr attributes{};
    if (Ibv().query_device(context, &attributes) == 0) {
      list.Set(list.Length(), DescribeDevice(env, context, attributes));
      if (pin_bytes > 0) {
        const int error = TryToPin(context, static_cast<size_t>(pin_bytes));
        if (error != 0) out.Set("pinErrno", static_cast<double>(error));
      }
    }
    Ibv().close_device(context);
  }
  if (devices != nullptr) Ibv().free_device_list(devices);

  rdma_event_channel* channel = Rdma().create_event_channel();
  out.Set("cmErrno", static_cast<double>(channel == nullptr ? errno : 0));
  if (channel != nullptr) Rdma().destroy_event_channel(channel);
  return out;
}

}  // namespace

void RegisterProbe(Napi::Env env, Napi::Object exports) {
  exports.Set("probe", Napi::Function::New(env, Probe));
}

}  // namespace netts
