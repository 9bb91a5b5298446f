// What environment variables set, read when the library is loaded. The README describes them.
#pragma once

#include <string>

#include "clock.h"

namespace loopback {

struct Settings {
  // From posting at one end until the message is there at the other.
  Ticks latency;
  // 0: as fast as can be copied.
  double ticks_per_byte;
  bool calls_itself_iwarp;
  // The FIFO that takes commands, and the file that the counters are in; empty: none.
  std::string control_path;
  std::string counters_path;
};

const Settings& GetSettings();

}  // namespace loopback
