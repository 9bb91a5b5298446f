// What the device counts, for whoever set NETTS_LOOPBACK_COUNTERS: 64-bit numbers in a file, which all processes that
// name it add up in.
#pragma once

#include <atomic>
#include <cstdint>

namespace loopback {

struct Counters {
  // How often a message came that no receive waited for.
  std::atomic<uint64_t> receiver_not_ready;
};

Counters& GetCounters();

}  // namespace loopback
