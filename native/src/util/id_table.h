// Small integers for objects that work requests and calls name: a slot and a generation, so that the id of a closed
// object is recognised, and is not used again soon.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

namespace netts {

template <typename T>
class IdTable {
 public:
  // 0, which is no id, when all 65535 slots are taken.
  uint32_t Add(T* object) {
    uint32_t slot;
    // The slot that has been free the longest comes first, once there are some to choose from.
    if (free_.size() > kRestingSlots || (entries_.size() == kMaxSlots && !free_.empty())) {
      slot = free_.front();
      free_.pop_front();
    } else if (entries_.size() < kMaxSlots) {
      slot = static_cast<uint32_t>(entries_.size());
      entries_.push_back({nullptr, 0});
    } else {
      return 0;
    }
    Entry& entry = entries_[slot];
    entry.generation = static_cast<uint16_t>(entry.generation == 0xffff ? 1 : entry.generation + 1);
    entry.object = object;
    return static_cast<uint32_t>(entry.generation) << 16 | slot;
  }

  void Remove(uint32_t id) {
    if (Find(id) == nullptr) return;
    entries_[id & 0xffff].object = nullptr;
    free_.push_back(id & 0xffff);
  }

  T* Find(uint32_t id) const {
    const uint32_t slot = id & 0xffff;
    if (slot >= entries_.size() || entries_[slot].generation != id >> 16) return nullptr;
    return entries_[slot].object;
  }

 private:
  static constexpr size_t kMaxSlots = 0xffff;
  static constexpr size_t kRestingSlots = 64;
  struct Entry {
    T* object;
    uint16_t generation;
  };
  std::vector<Entry> entries_;
  std::deque<uint32_t> free_;
};

}  // namespace netts
