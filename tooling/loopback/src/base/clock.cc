#include "clock.h"

#include <ctime>

namespace loopback {
namespace {

uint64_t MonotonicNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Long enough that the two reads of each clock, some 50 ns apart, are an error of less than 0.01 %.
constexpr uint64_t kCalibrationNanoseconds = 2'000'000;

double Calibrate() {
  const uint64_t began = MonotonicNanoseconds();
  const Ticks first = Now();
  uint64_t ended = began;
  while (ended - began < kCalibrationNanoseconds) ended = MonotonicNanoseconds();
  return static_cast<double>(Now() - first) / static_cast<double>(ended - began);
}

}  // namespace

double TicksPerNanosecond() {
  static const double rate = Calibrate();
  return rate;
}

}  // namespace loopback
