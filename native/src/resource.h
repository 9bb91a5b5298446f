// The base of every verbs object: shared ownership, orderly destruction, and the handle JavaScript holds.
//
// A child owns a reference to each of its parents (a queue pair to its queues, domain and id), so that objects may be
// dropped in any order: a parent is destroyed after its last child.
// The JavaScript handle is a napi External with one more reference, dropped by close() or by the garbage
// collector. The end of the environment closes what is left, kind by kind.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "env_state.h"

namespace netts {

class Resource : public std::enable_shared_from_this<Resource> {
 public:
  Resource(std::shared_ptr<EnvState> state, ResourceKind kind);
  virtual ~Resource();
  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;

  // Destroys the verbs object now and drops the references to the parents. Idempotent; derived destructors call it.
  virtual void Close() noexcept = 0;
  virtual bool closed() const noexcept = 0;

  ResourceKind kind() const { return kind_; }
  EnvState& state() const { return *state_; }
  const std::shared_ptr<EnvState>& shared_state() const { return state_; }
  // Names this object in events. It is not used again in the process, so a late event reaches no other object.
  uint64_t number() const { return number_; }
  // Names this object in the calls of direct_call.h, from AcceptCalls() on until it is closed; else 0.
  uint32_t call_id() const { return call_id_; }
  // False when there is no number left.
  bool AcceptCalls();

 protected:
  void RefuseCalls();

 private:
  std::shared_ptr<EnvState> state_;
  ResourceKind kind_;
  uint64_t number_;
  uint32_t call_id_ = 0;
};

// The handle for JavaScript: an object { handle, number, callId }.
Napi::Value MakeHandle(Napi::Env env, std::shared_ptr<Resource> resource);

// The open resource behind a handle. Throws a TypeError for anything else, and ERR_NETTS_INVALID_STATE when
// it was closed.
Resource& ResourceOf(const Napi::Value& value, ResourceKind kind, const char* name);

template <typename T>
T& Get(const Napi::Value& value) {
  return static_cast<T&>(ResourceOf(value, T::kKind, T::kName));
}

template <typename T>
std::shared_ptr<T> Share(T& resource) {
  return std::static_pointer_cast<T>(resource.shared_from_this());
}

void RegisterResource(Napi::Env env, Napi::Object exports);

}  // namespace netts
