#include "counters.h"

#include <fcntl.h>

#include <cstdio>
#include <cstdlib>

#include "settings.h"
#include "shared_object.h"

namespace loopback {

Counters& GetCounters() {
  static Counters own;
  static Counters* counters = [] {
    const std::string& path = GetSettings().counters_path;
    if (path.empty()) return &own;
    const FileDescriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    // Never unmapped: threads may outlive what is static.
    auto& shared = *new SharedObject<Counters>;
    if (!fd.valid() || ftruncate(fd.get(), sizeof(Counters)) != 0 || !shared.Map(fd)) {
      std::perror(path.c_str());
      std::abort();
    }
    return shared.get();
  }();
  return *counters;
}

}  // namespace loopback
