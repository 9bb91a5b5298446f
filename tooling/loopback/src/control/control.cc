#include "control.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "../base/file_descriptor.h"
#include "../base/settings.h"
#include "../base/watch.h"
#include "../cm/cm_id.h"
#include "../device/context.h"

namespace loopback {
namespace {

// -1: nobody asked for one.
int Fifo() {
  static const FileDescriptor fifo = [] {
    const std::string& path = GetSettings().control_path;
    if (path.empty()) return FileDescriptor();
    const bool exists = mkfifo(path.c_str(), 0600) == 0 || errno == EEXIST;
    // For writing, too: with no writer it would be readable all the time.
    FileDescriptor fd(exists ? open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1);
    if (!fd.valid()) {
      std::perror(path.c_str());
      std::abort();
    }
    return fd;
  }();
  return fifo.get();
}

void Obey(const std::string& command) {
  Context* context = Context::Current();
  if (command == "return") return Context::Return();
  if (context == nullptr) return;
  if (command == "remove") {
    Context::Remove();
    CmId::AnnounceRemoval(context);
  } else if (command == "fatal") {
    ibv_async_event event{};
    event.event_type = IBV_EVENT_DEVICE_FATAL;
    context->Raise(event);
  } else if (command == "port-down") {
    context->SetPortState(IBV_PORT_DOWN);
  } else if (command == "port-up") {
    context->SetPortState(IBV_PORT_ACTIVE);
  } else {
    std::fprintf(stderr, "netts_loopback: there is no command '%s'\n", command.c_str());
    std::abort();
  }
}

}  // namespace

void WatchControl(int epoll) {
  if (Fifo() >= 0) WatchIn(epoll, Fifo(), nullptr);
}

void ObeyControl() {
  if (Fifo() < 0) return;
  static auto& unread = *new std::string;
  char bytes[256];
  for (ssize_t count; (count = read(Fifo(), bytes, sizeof(bytes))) > 0;) unread.append(bytes, static_cast<size_t>(count));
  for (size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1)) Obey(unread.substr(0, end));
}

Context* CurrentUnderControl() {
  ObeyControl();
  Context* context = Context::Current();
  // A second time it changes nothing.
  if (context != nullptr) WatchControl(context->async_fd);
  return context;
}

}  // namespace loopback
