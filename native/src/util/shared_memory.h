// Memory that C++ and JavaScript, or several processes, use: arrays of work requests and completions, and slabs.
//
// Each side holds a reference. The finalizer of the array buffer only drops that of JavaScript: at the end of an
// environment it runs before the cleanup hooks, when queue pairs still exist and the device may still write
// into the memory. The pages are unmapped with the last reference; a registered region holds one too.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace netts {

class SharedMemory {
 public:
  // Maps whole pages, filled with zeros, which forked children do not inherit: if a child shared a pinned page, the
  // next write here would go to a copy, which the device does not use. nullptr with errno set when there is no memory.
  static std::shared_ptr<SharedMemory> Map(size_t byte_length);
  // Maps part of a file, shared with all others that map it. nullptr with errno set: EINVAL unless offset and length
  // are whole pages of the file, EOVERFLOW when the file is shorter, EBADF when the descriptor is not open.
  static std::shared_ptr<SharedMemory> MapFile(int file_descriptor, uint64_t offset, size_t byte_length);
  // Refers to the bytes of a Uint8Array over a SharedArrayBuffer, and keeps it alive.
  static std::shared_ptr<SharedMemory> Keep(Napi::Uint8Array bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  uint8_t* data() const { return data_; }
  size_t byte_length() const { return byte_length_; }
  // Whether it is memory of JavaScript, which is only kept alive.
  bool is_kept() const { return !keeper_.IsEmpty(); }

 private:
  SharedMemory(uint8_t* data, size_t byte_length) : data_(data), byte_length_(byte_length) {}
  // Empty for memory that was mapped here.
  Napi::ObjectReference keeper_;
  uint8_t* data_;
  size_t byte_length_;
};

// Makes an ArrayBuffer of the first `byte_length` bytes, which keeps the memory.
Napi::Value ExposeMemory(Napi::Env env, std::shared_ptr<SharedMemory> memory, size_t byte_length);

}  // namespace netts
