// How processes tell each other which queue pairs to look at: a bit each, and a bit for 64 of them, so that a process
// with thousands of quiet connections looks at one cache line.
#pragma once

#include <atomic>
#include <cstdint>

#include "../base/clock.h"

namespace loopback {

constexpr uint32_t kMaxQueuePairs = 16384;

// One a process, in memory that its peers map.
struct Mailbox {
  static constexpr uint32_t kWords = kMaxQueuePairs / 64;
  static constexpr uint32_t kSummaryWords = kWords / 64;

  alignas(64) std::atomic<uint64_t> summary[kSummaryWords];
  // Completion queues of the process are armed, and it polls no other: it may sleep, and has to be woken.
  alignas(64) std::atomic<uint32_t> may_sleep;
  // When the process's timer wakes it, in ticks from `kNever` downwards, so that zeroed memory says never.
  std::atomic<uint64_t> wakes_before_never;
  // How often the timer was set, counted after it was.
  std::atomic<uint32_t> timers_set;
  alignas(64) std::atomic<uint64_t> words[kWords];

  void Post(uint32_t index) {
    const uint32_t word = index / 64;
    words[word].fetch_or(uint64_t{1} << index % 64, std::memory_order_seq_cst);
    // Whoever reads clears the summary first: where its bit is still set, the word will be read after this.
    const uint64_t bit = uint64_t{1} << word % 64;
    auto& group = summary[word / 64];
    if ((group.load(std::memory_order_seq_cst) & bit) == 0) group.fetch_or(bit, std::memory_order_seq_cst);
  }

  bool HasPost() const {
    uint64_t any = 0;
    for (const auto& word : summary) any |= word.load(std::memory_order_relaxed);
    return any != 0;
  }

  // Calls `visit(index)` for what was posted.
  template <typename Visit>
  void Take(Visit visit) {
    for (uint32_t group = 0; group < kSummaryWords; ++group) {
      if (summary[group].load(std::memory_order_relaxed) == 0) continue;
      uint64_t groups = summary[group].exchange(0, std::memory_order_seq_cst);
      for (; groups != 0; groups &= groups - 1) {
        const uint32_t word = group * 64 + static_cast<uint32_t>(__builtin_ctzll(groups));
        uint64_t bits = words[word].exchange(0, std::memory_order_seq_cst);
        for (; bits != 0; bits &= bits - 1) visit(word * 64 + static_cast<uint32_t>(__builtin_ctzll(bits)));
      }
    }
  }

  Ticks wakes_at() const { return kNever - wakes_before_never.load(std::memory_order_seq_cst); }
  // False where it is another by now.
  bool ReplaceWake(Ticks before, Ticks then) {
    uint64_t expected = kNever - before;
    return wakes_before_never.compare_exchange_strong(expected, kNever - then, std::memory_order_seq_cst);
  }

  // Whether it was set: it is not where the process wakes earlier anyway. It looks for itself then.
  bool WakeEarlier(Ticks then) {
    uint64_t before = wakes_before_never.load(std::memory_order_seq_cst);
    while (kNever - before > then) {
      if (wakes_before_never.compare_exchange_weak(before, kNever - then, std::memory_order_seq_cst)) return true;
    }
    return false;
  }
};

}  // namespace loopback
