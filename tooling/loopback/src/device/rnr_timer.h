// How long a sender waits until it tries again where no receive waited for its message.
#pragma once

#include <cstdint>

#include "../base/clock.h"

namespace loopback {

constexpr uint8_t kRnrRetryForEver = 7;

// The codes of IBV_QP_MIN_RNR_TIMER, as the InfiniBand specification lists them (table "Encoding for RNR NAK Timer
// Field"), in units of 10 µs.
constexpr uint32_t kRnrTimers[32] = {65536, 1,    2,    3,    4,    6,    8,    12,   16,    24,    32,
                                     48,    64,   96,   128,  192,  256,  384,  512,  768,   1024,  1536,
                                     2048,  3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152};

inline Ticks RnrTimer(uint8_t code) { return FromNanoseconds(kRnrTimers[code & 31] * 10'000.0); }

}  // namespace loopback
