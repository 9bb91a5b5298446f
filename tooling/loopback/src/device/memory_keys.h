// Which memory may be reached by which key, and how: regions, and type-2 windows.
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>
#include <deque>
#include <vector>

namespace loopback {

class QueuePair;

// One a process, under the engine's lock.
class MemoryKeys {
 public:
  static MemoryKeys& Get();

  // The key of a new region.
  uint32_t AddRegion(const ibv_pd* domain, uint64_t address, uint64_t byte_length, int access);
  // The key of a new window, which opens nothing until it is bound.
  uint32_t AddWindow(const ibv_pd* domain);
  // 0, or EBUSY for a region that windows are bound to.
  int Remove(uint32_t key);

  // Whether the whole range is open for this access: IBV_ACCESS_LOCAL_WRITE, IBV_ACCESS_REMOTE_…, or 0, which is
  // reading locally.
  bool Allows(const QueuePair& pair, uint32_t key, uint64_t address, uint64_t byte_length, int access) const;

  // From now on the window has the key of the request. False where the request is not allowed.
  bool BindWindow(const QueuePair& pair, uint32_t window_key, const ibv_mw_bind_info& to, uint32_t new_key);
  // The key of a window opens nothing any more. False if it is none of this queue pair's.
  bool Invalidate(const QueuePair& pair, uint32_t key);
  // The queue pair is gone, and with it the bindings to it.
  void UnbindAll(const QueuePair& pair);

 private:
  enum class Kind : uint8_t { kFree, kRegion, kWindow };
  struct Entry {
    Kind kind = Kind::kFree;
    uint32_t key = 0;
    const ibv_pd* domain = nullptr;
    uint64_t address = 0;
    uint64_t byte_length = 0;
    int access = 0;
    // Of a window: what it is bound to.
    const QueuePair* pair = nullptr;
    uint32_t region_index = 0;
    // Of a region.
    uint32_t windows = 0;
  };

  uint32_t Add(Entry entry);
  const Entry* Find(uint32_t key) const;
  void Unbind(Entry& window);

  std::vector<Entry> entries_;
  std::deque<uint32_t> free_indices_;
};

}  // namespace loopback
