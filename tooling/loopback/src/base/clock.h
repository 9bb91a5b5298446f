// The time, in ticks that all processes of the machine agree on: the processor's own counter where it has one that is
// cheap to read, because each poll reads it.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <ctime>
#endif

namespace loopback {

using Ticks = uint64_t;

constexpr Ticks kNever = UINT64_MAX;

inline Ticks Now() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<Ticks>(now.tv_sec) * 1'000'000'000 + static_cast<Ticks>(now.tv_nsec);
#endif
}

// Measured once, when the library is loaded.
double TicksPerNanosecond();

inline Ticks FromNanoseconds(double nanoseconds) {
  return static_cast<Ticks>(nanoseconds * TicksPerNanosecond());
}

// From now until then, at least 1.
inline int64_t NanosecondsUntil(Ticks then) {
  const auto ticks = static_cast<int64_t>(then - Now());
  return ticks > 0 ? static_cast<int64_t>(static_cast<double>(ticks) / TicksPerNanosecond()) + 1 : 1;
}

}  // namespace loopback
