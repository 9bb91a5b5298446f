// What the device counts, for whoever set NETTS_LOOPBACK_COUNTERS: 64-bit numbers in a file, which all processes that
// name it add up in.
#pragma once

#include <atomic>
#include <cstdint>

namespace loopback {

struct Counters {
  // How often a message came that no receive waited for.
  std::atomic<uint64_t> receiver_not_ready;
  // How many events of completion channels were read.
  std::atomic<uint64_t> channel_events;
  // How often a completion channel was read that had no event, and could get none: none of its queues was armed.
  std::atomic<uint64_t> channel_reads_in_vain;
};

Counters& GetCounters();

}  // namespace loopback
