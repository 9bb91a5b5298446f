#include "shared_memory.h"

#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
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

std::shared_ptr<SharedMemory> SharedMemory::MapFile(int file_descriptor, uint64_t offset, size_t byte_length) {
  // Before fstat, because it sets EBADF: the fstat that Zig links in for an old glibc fails without setting errno.
  struct statfs system{};
  if (fstatfs(file_descriptor, &system) != 0) return nullptr;
  struct stat status{};
  if (fstat(file_descriptor, &status) != 0) return nullptr;
  const auto size = static_cast<uint64_t>(status.st_size);
  if (offset > size || byte_length > size - offset) {
    errno = EOVERFLOW;
    return nullptr;
  }
  // For a file of hugetlbfs, f_bsize is the size of its pages.
  const bool is_huge = system.f_type == HUGETLBFS_MAGIC;
  const auto page = static_cast<uint64_t>(is_huge ? system.f_bsize : sysconf(_SC_PAGESIZE));
  if (offset % page != 0 || byte_length % page != 0) {
    errno = EINVAL;
    return nullptr;
  }
  void* mapped = mmap(nullptr, byte_length, PROT_READ | PROT_WRITE, MAP_SHARED, file_descriptor,
                      static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) return nullptr;
  return std::shared_ptr<SharedMemory>(new SharedMemory(static_cast<uint8_t*>(mapped), byte_length));
}

std::shared_ptr<SharedMemory> SharedMemory::Keep(Napi::Uint8Array bytes) {
  std::shared_ptr<SharedMemory> memory(new SharedMemory(bytes.Data(), bytes.ByteLength()));
  memory->keeper_ = Napi::Persistent(bytes.As<Napi::Object>());
  return memory;
}

SharedMemory::~SharedMemory() {
  if (keeper_.IsEmpty()) munmap(data_, byte_length_);
}

Napi::Value ExposeMemory(Napi::Env env, std::shared_ptr<SharedMemory> memory, size_t byte_length) {
  uint8_t* data = memory->data();
  auto reference = std::make_unique<std::shared_ptr<SharedMemory>>(std::move(memory));
  const auto buffer = Napi::ArrayBuffer::New(
      env, data, byte_length,
      [](Napi::Env, void*, std::shared_ptr<SharedMemory>* dropped) { delete dropped; }, reference.get());
  // Owned by JavaScript from here on. Before, because making the array fails in a worker that is being terminated.
  reference.release();
  return buffer;
}

}  // namespace netts
