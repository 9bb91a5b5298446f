// The base of every verbs object: shared ownership, orderly destruction, and the handle JavaScript holds.
//
// A child owns a reference to each of its parents (a queue pair to its queues, domain and id), so that
// dropping objects in any order destroys them in the right one: a parent goes when its last child went.
// The JavaScript handle is a napi External with one more reference, dropped by close() or by the garbage
// collector. The end of the environment closes what is left, kind by kind.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <utility>

#include "env_state.h"

namespace netts {

class Resource : public std::enable_shared_from_this<Resource> {
 public:
  Resource(std::shared_ptr<EnvState> state, ResourceKind kind)
      : state_(std::move(state)), kind_(kind), number_(NextNumber()) {
    state_->Add(this);
  }
  virtual ~Resource() { state_->Remove(this); }
  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;

  // Destroys the verbs object now and lets go of the parents. Idempotent. Returns 0, or the errno with
  // which the device refused, in which case the object stays open.
  virtual int Close() noexcept = 0;
  virtual bool closed() const noexcept = 0;

  ResourceKind kind() const { return kind_; }
  EnvState& state() const { return *state_; }
  // Names this object in events; never reused within the process.
  double number() const { return number_; }

 private:
  static double NextNumber();

  std::shared_ptr<EnvState> state_;
  ResourceKind kind_;
  double number_;
};

// The handle for JavaScript. Dropping it drops one reference.
Napi::Value MakeHandle(Napi::Env env, std::shared_ptr<Resource> resource);

// The resource behind a handle, or a TypeError when the value is no handle of that kind.
std::shared_ptr<Resource> ResourceOf(const Napi::Value& value, ResourceKind kind);

// The same with its type, and refused with a readable error when it was closed already.
template <typename T>
std::shared_ptr<T> Open(const Napi::Value& value) {
  auto resource = std::static_pointer_cast<T>(ResourceOf(value, T::kKind));
  if (resource->closed()) throw Napi::Error::New(value.Env(), std::string(T::kName) + " is closed");
  return resource;
}

}  // namespace netts
