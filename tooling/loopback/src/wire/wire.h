// The memory that two connected queue pairs share: two rings each way, so that responses never wait for requests.
#pragma once

#include <atomic>
#include <cstdint>

#include "ring.h"

namespace loopback {

// What one end writes and the other reads.
struct Lane {
  Ring<128 * 1024> requests;
  Ring<32 * 1024> responses;
  // This end's queue pair is in the error state, or gone: it answers no request any more.
  alignas(64) std::atomic<uint32_t> is_deaf;
};

// The end that connects writes the first lane, the one that accepts writes the second. It is mapped from a sparse
// file: a connection that is not used takes two pages.
struct Wire {
  Lane lanes[2];
};

}  // namespace loopback
