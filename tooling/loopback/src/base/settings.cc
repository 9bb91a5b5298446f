#include "settings.h"

#include <cstdio>
#include <cstdlib>

namespace loopback {
namespace {

std::string Text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

double Number(const char* name, double otherwise) {
  const std::string text = Text(name);
  if (text.empty()) return otherwise;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (*end == '\0' && value >= 0) return value;
  // A benchmark with another wire than was asked for would be worse than none.
  std::fprintf(stderr, "netts_loopback: %s must be a number that is not negative, not '%s'\n", name, text.c_str());
  std::abort();
}

Settings Read() {
  const double gigabits_per_second = Number("NETTS_LOOPBACK_GBPS", 0);
  return {FromNanoseconds(Number("NETTS_LOOPBACK_LATENCY_NS", 1000)),
          gigabits_per_second > 0 ? 8 / gigabits_per_second * TicksPerNanosecond() : 0,
          Text("NETTS_LOOPBACK_TRANSPORT") == "iwarp",
          Text("NETTS_LOOPBACK_CONTROL"),
          Text("NETTS_LOOPBACK_COUNTERS")};
}

}  // namespace

const Settings& GetSettings() {
  static const Settings settings = Read();
  return settings;
}

}  // namespace loopback
