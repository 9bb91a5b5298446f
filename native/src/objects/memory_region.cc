#include "memory_region.h"

#include <atomic>
#include <cerrno>
#include <utility>

#include "../util/errors.h"

namespace netts {
namespace {

std::atomic<uint64_t> pinned_bytes{0};

}  // namespace

uint64_t MemoryRegion::PinnedBytes() { return pinned_bytes; }

int MemoryRegion::Register() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  // The environment ended before this thread began.
  if (close_asked_) return ECANCELED;
  region_ = Ibv().reg_mr(domain_->verbs(), memory_->data(), memory_->byte_length(), access_);
  if (region_ == nullptr) return errno;
  pinned_bytes += memory_->byte_length();
  return 0;
}

bool MemoryRegion::Publish() {
  id_ = state().regions.Add(this);
  return id_ != 0;
}

void MemoryRegion::Close() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  close_asked_ = true;
  if (id_ != 0) state().regions.Remove(id_);
  id_ = 0;
  Deregister();
}

namespace {

// Whether the registration has ended. EIO means that the device was removed (ib_uverbs_disassociate_api in the kernel):
// then nothing reaches the memory any more.
bool DeregisterNow(ibv_mr* region) noexcept {
  const int error = Errno(Ibv().dereg_mr(region));
  return error == 0 || error == EIO;
}

}  // namespace

void MemoryRegion::Deregister() noexcept {
  if (region_ == nullptr) return;
  ibv_mr* region = std::exchange(region_, nullptr);
  pinned_bytes -= memory_->byte_length();
  if (!DeregisterNow(region)) {
    // The reason is a window that is still bound to it. The memory must outlive the registration, so both are kept
    // until that window, or its queue pair, is closed.
    state().leftover_regions.push_back({region, std::move(memory_), std::move(domain_)});
    return;
  }
  memory_.reset();
  domain_.reset();
}

void MemoryRegion::CloseLeftovers(EnvState& state) noexcept {
  auto& leftovers = state.leftover_regions;
  for (size_t index = leftovers.size(); index-- > 0;) {
    if (DeregisterNow(leftovers[index].region)) leftovers.erase(leftovers.begin() + static_cast<long>(index));
  }
}

namespace {

// { handle, number, callId, id, buffer unless the memory is the caller's, remoteAddress, remoteKey }
Napi::Value Describe(Napi::Env env, const std::shared_ptr<MemoryRegion>& region) {
  if (!region->Publish()) throw SystemError(env, "ibv_reg_mr", ENOSPC);
  Napi::Object out = MakeHandle(env, region).As<Napi::Object>();
  out.Set("id", static_cast<double>(region->id()));
  if (region->owns_memory()) out.Set("buffer", ExposeMemory(env, region->memory(), region->byte_length()));
  out.Set("remoteAddress", Napi::BigInt::New(env, region->address()));
  out.Set("remoteKey", static_cast<double>(region->verbs()->rkey));
  return out;
}

// A number of bytes, a Uint8Array over a SharedArrayBuffer, or { fileDescriptor, fileOffset, byteLength }.
std::shared_ptr<SharedMemory> MemoryOf(const Napi::Value& value) {
  if (value.IsNumber()) return SharedMemory::Map(static_cast<size_t>(value.As<Napi::Number>().Int64Value()));
  if (value.IsTypedArray()) return SharedMemory::Keep(value.As<Napi::Uint8Array>());
  const auto file = value.As<Napi::Object>();
  const auto number = [&file](const char* name) { return file.Get(name).As<Napi::Number>().Int64Value(); };
  return SharedMemory::MapFile(static_cast<int>(number("fileDescriptor")), static_cast<uint64_t>(number("fileOffset")),
                               static_cast<size_t>(number("byteLength")));
}

std::shared_ptr<MemoryRegion> Prepare(const Napi::CallbackInfo& info) {
  ProtectionDomain& domain = Get<ProtectionDomain>(info[0]);
  auto memory = MemoryOf(info[1]);
  if (memory == nullptr) ThrowErrno(info.Env(), "mmap");
  return std::make_shared<MemoryRegion>(Share(domain), std::move(memory), info[2].As<Napi::Number>().Int32Value());
}

// registerRegion(domain, memory, access) → description
Napi::Value RegisterRegion(const Napi::CallbackInfo& info) {
  auto region = Prepare(info);
  const int error = region->Register();
  if (error != 0) throw SystemError(info.Env(), "ibv_reg_mr", error);
  return Describe(info.Env(), region);
}

// One registration on the thread pool. It is deleted by its completion, for which Node.js waits also when the
// environment ends meanwhile.
struct Registration {
  std::shared_ptr<EnvState> state;
  std::shared_ptr<MemoryRegion> region;
  napi_deferred deferred;
  napi_async_work work;
  int error = 0;
};

void Execute(napi_env, void* data) {
  auto* job = static_cast<Registration*>(data);
  job->error = job->region->Register();
}

void Complete(napi_env raw, napi_status status, void* data) {
  const std::unique_ptr<Registration> job(static_cast<Registration*>(data));
  napi_delete_async_work(raw, job->work);
  if (status != napi_ok || job->state->ended()) return;
  Napi::Env env(raw);
  Napi::HandleScope scope(env);
  try {
    if (job->error == 0) {
      napi_resolve_deferred(raw, job->deferred, Describe(env, job->region));
    } else {
      napi_reject_deferred(raw, job->deferred, SystemError(env, "ibv_reg_mr", job->error).Value());
    }
  } catch (const Napi::Error& error) {
    napi_reject_deferred(raw, job->deferred, error.Value());
  }
}

// registerRegionAsync(domain, memory, access) → promise of a description
Napi::Value RegisterRegionAsync(const Napi::CallbackInfo& info) {
  napi_env env = info.Env();
  auto job = std::make_unique<Registration>();
  job->state = EnvState::Of(info.Env());
  job->region = Prepare(info);
  napi_value promise;
  napi_value name;
  if (napi_create_promise(env, &job->deferred, &promise) != napi_ok ||
      napi_create_string_utf8(env, "netts:registerRegion", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, nullptr, name, Execute, Complete, job.get(), &job->work) != napi_ok) {
    throw Napi::Error::New(info.Env(), "could not start a registration");
  }
  if (napi_queue_async_work(env, job->work) != napi_ok) {
    napi_delete_async_work(env, job->work);
    throw Napi::Error::New(info.Env(), "could not queue a registration");
  }
  job.release();
  return Napi::Value(env, promise);
}

Napi::Value Pinned(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(MemoryRegion::PinnedBytes()));
}

}  // namespace

void RegisterMemoryRegion(Napi::Env env, Napi::Object exports) {
  exports.Set("registerRegion", Napi::Function::New(env, RegisterRegion));
  exports.Set("registerRegionAsync", Napi::Function::New(env, RegisterRegionAsync));
  exports.Set("pinnedBytes", Napi::Function::New(env, Pinned));
}

}  // namespace netts
