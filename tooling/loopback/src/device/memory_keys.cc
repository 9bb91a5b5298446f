#include "memory_keys.h"

#include <cerrno>

#include "queue_pair.h"

namespace loopback {
namespace {

// As adapters have it: an index, and 8 bits that change each time, or that the owner of a window chooses.
constexpr uint32_t kTagBits = 8;
constexpr uint32_t kTagMask = (1u << kTagBits) - 1;
// A key that was closed is not given out again soon.
constexpr size_t kFreeAhead = 64;

constexpr int kRemoteAccess = IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC;

uint32_t IndexOf(uint32_t key) { return key >> kTagBits; }

bool Contains(uint64_t address, uint64_t byte_length, uint64_t inner, uint64_t inner_length) {
  return inner >= address && inner_length <= byte_length && inner - address <= byte_length - inner_length;
}

}  // namespace

MemoryKeys& MemoryKeys::Get() {
  static auto* keys = new MemoryKeys;
  return *keys;
}

uint32_t MemoryKeys::Add(Entry entry) {
  uint32_t index;
  if (free_indices_.size() > kFreeAhead) {
    index = free_indices_.front();
    free_indices_.pop_front();
  } else {
    // Key 0 is nobody's.
    if (entries_.empty()) entries_.emplace_back();
    index = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  }
  entry.key = index << kTagBits | ((entries_[index].key + 1) & kTagMask);
  entries_[index] = entry;
  return entry.key;
}

uint32_t MemoryKeys::AddRegion(const ibv_pd* domain, uint64_t address, uint64_t byte_length, int access) {
  Entry entry;
  entry.kind = Kind::kRegion;
  entry.domain = domain;
  entry.address = address;
  entry.byte_length = byte_length;
  entry.access = access;
  return Add(entry);
}

uint32_t MemoryKeys::AddWindow(const ibv_pd* domain) {
  Entry entry;
  entry.kind = Kind::kWindow;
  entry.domain = domain;
  return Add(entry);
}

int MemoryKeys::Remove(uint32_t key) {
  // The owner of a window knows the key that it had at first.
  Entry& entry = entries_[IndexOf(key)];
  if (entry.kind == Kind::kRegion && entry.windows > 0) return EBUSY;
  if (entry.kind == Kind::kWindow) Unbind(entry);
  entry.kind = Kind::kFree;
  free_indices_.push_back(IndexOf(key));
  return 0;
}

const MemoryKeys::Entry* MemoryKeys::Find(uint32_t key) const {
  const uint32_t index = IndexOf(key);
  if (index >= entries_.size() || entries_[index].kind == Kind::kFree || entries_[index].key != key) return nullptr;
  return &entries_[index];
}

bool MemoryKeys::Allows(const QueuePair& pair, uint32_t key, uint64_t address, uint64_t byte_length,
                        int access) const {
  const Entry* entry = Find(key);
  if (entry == nullptr || entry->domain != pair.pd || (entry->access & access) != access) return false;
  if (entry->kind == Kind::kWindow && entry->pair != &pair) return false;
  return Contains(entry->address, entry->byte_length, address, byte_length);
}

bool MemoryKeys::BindWindow(const QueuePair& pair, uint32_t window_key, const ibv_mw_bind_info& to,
                            uint32_t new_key) {
  Entry& window = entries_[IndexOf(window_key)];
  const Entry* found = Find(to.mr->rkey);
  if (window.kind != Kind::kWindow || window.domain != pair.pd || IndexOf(new_key) != IndexOf(window_key)) return false;
  // A window of type 2 is invalidated before it is bound anew.
  if (window.pair != nullptr || found == nullptr || found->kind != Kind::kRegion || found->domain != pair.pd) {
    return false;
  }
  const int access = static_cast<int>(to.mw_access_flags);
  const bool changes = (access & (IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC)) != 0;
  if ((found->access & IBV_ACCESS_MW_BIND) == 0 || (access & ~kRemoteAccess) != 0) return false;
  if (changes && (found->access & IBV_ACCESS_LOCAL_WRITE) == 0) return false;
  if (!Contains(found->address, found->byte_length, to.addr, to.length)) return false;
  window.key = new_key;
  window.address = to.addr;
  window.byte_length = to.length;
  window.access = access;
  window.pair = &pair;
  window.region_index = IndexOf(to.mr->rkey);
  ++entries_[window.region_index].windows;
  return true;
}

bool MemoryKeys::Invalidate(const QueuePair& pair, uint32_t key) {
  const Entry* found = Find(key);
  if (found == nullptr || found->kind != Kind::kWindow || found->pair != &pair) return false;
  Unbind(entries_[IndexOf(key)]);
  return true;
}

void MemoryKeys::UnbindAll(const QueuePair& pair) {
  for (Entry& entry : entries_) {
    if (entry.kind == Kind::kWindow && entry.pair == &pair) Unbind(entry);
  }
}

void MemoryKeys::Unbind(Entry& window) {
  if (window.pair == nullptr) return;
  --entries_[window.region_index].windows;
  window.pair = nullptr;
  window.byte_length = 0;
  window.access = 0;
}

}  // namespace loopback
