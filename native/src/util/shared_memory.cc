#include "shared_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace netts {

std::shared_ptr<SharedMemory> SharedMemory::Map(size_t byte_length) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t rounded = (byte_length + page - 1) / page * page;
  void* mapped = mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (madvise(mapped, rounded, MADV_DONTFORK) != 0) {
    munmap(mapped, rounded);
    return nullptr;
  }
  return std::shared_ptr<SharedMemory>(new SharedMemory(static_cast<uint8_t*>(mapped), rounded));
}

SharedMemory::~SharedMemory() { munmap(data_, byte_length_); }

Napi::Value ExposeMemory(Napi::Env env, std::shared_ptr<SharedMemory> memory, size_t byte_length) {
  uint8_t* data = memory->data();
  auto reference = std::make_unique<std::shared_ptr<SharedMemory>>(std::move(memory));
  const auto buffer = Napi::ArrayBuffer::New(
      env, data, byte_length,
      [](Napi::Env, void*, std::shared_ptr<SharedMemory>* dropped) { delete dropped; }, reference.get());
  // JavaScript's from here on. Making the array fails in a worker that is being terminated.
  reference.release();
  return buffer;
}

}  // namespace netts
