// Memory that C++ and JavaScript, or several processes, use: rings of work requests and completions, and slabs.
//
// Each side holds a reference. The finalizer of the array buffer only drops JavaScript's: at the end of an
// environment it runs before the cleanup hooks, when queue pairs still exist and the device may still write
// into the memory. The pages go with the last reference, which a registered region holds too.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace netts {

class SharedMemory {
 public:
  // Whole pages, zero-filled, left out of forked children: a child sharing a pinned page would make the next
  // write here go to a copy that the device does not know. nullptr with errno set when there is no memory.
  static std::shared_ptr<SharedMemory> Map(size_t byte_length);
  // Part of a file, shared with whoever else has it. nullptr with errno set: EINVAL unless offset and length are whole
  // pages of the file, EOVERFLOW when it is shorter.
  static std::shared_ptr<SharedMemory> MapFile(int file_descriptor, uint64_t offset, size_t byte_length);
  // The bytes of a Uint8Array over a SharedArrayBuffer, which stays alive as long as this.
  static std::shared_ptr<SharedMemory> Keep(Napi::Uint8Array bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  uint8_t* data() const { return data_; }
  size_t byte_length() const { return byte_length_; }
  // JavaScript's, and only kept alive.
  bool is_kept() const { return !keeper_.IsEmpty(); }

 private:
  SharedMemory(uint8_t* data, size_t byte_length) : data_(data), byte_length_(byte_length) {}
  // Empty for memory that was mapped here.
  Napi::ObjectReference keeper_;
  uint8_t* data_;
  size_t byte_length_;
};

// The first `byte_length` bytes as an ArrayBuffer that keeps the memory.
Napi::Value ExposeMemory(Napi::Env env, std::shared_ptr<SharedMemory> memory, size_t byte_length);

}  // namespace netts
