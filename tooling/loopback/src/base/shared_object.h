// An object in memory that processes share, mapped from a descriptor that they hand on. It begins as zeroes.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <new>
#include <utility>

#include "file_descriptor.h"

namespace loopback {

// T has atomics and plain numbers only, for which zeroes are a valid beginning.
template <typename T>
class SharedObject {
 public:
  SharedObject() = default;
  SharedObject(SharedObject&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  SharedObject& operator=(SharedObject&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~SharedObject() {
    if (object_ != nullptr) munmap(static_cast<void*>(object_), sizeof(T));
  }

  // An invalid descriptor, with errno, when there is no memory.
  static FileDescriptor Create(const char* name) {
    FileDescriptor fd(memfd_create(name, MFD_CLOEXEC));
    if (fd.valid() && ftruncate(fd.get(), sizeof(T)) == 0) return fd;
    return FileDescriptor();
  }

  // False, with errno, when it can't be mapped.
  bool Map(const FileDescriptor& fd) {
    void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (memory == MAP_FAILED) return false;
    object_ = static_cast<T*>(memory);
    return true;
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace loopback
