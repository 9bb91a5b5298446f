#include "blocking_connect.h"

#include <csignal>
#include <pthread.h>

#include <cerrno>
#include <mutex>
#include <system_error>

namespace netts {
namespace {

// The signal that interrupts the thread's system call. Node.js, V8 and libuv do not use real-time signals. The handler
// does nothing, and without SA_RESTART the call returns EINTR.
int InterruptSignal() { return SIGRTMAX - 3; }

// A host that has not answered after this time is given up. See the header for why it is not given up before.
constexpr std::chrono::seconds kTimeToAnswer{1};

void InstallHandler() {
  struct sigaction current {};
  // If another part of the process has a handler for this signal, that handler stays: the signal interrupts with it
  // too.
  if (sigaction(InterruptSignal(), nullptr, &current) != 0 || current.sa_handler != SIG_DFL) return;
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(InterruptSignal(), &action, nullptr);
}

}  // namespace

BlockingConnect::BlockingConnect(EnvState& state, uint64_t number, rdma_cm_id* id,
                                 const rdma_conn_param& parameters) {
  static std::once_flag once;
  std::call_once(once, InstallHandler);
  const auto* data = static_cast<const uint8_t*>(parameters.private_data);
  if (data != nullptr) private_data_.assign(data, data + parameters.private_data_len);
  rdma_conn_param copy = parameters;
  copy.private_data = private_data_.empty() ? nullptr : private_data_.data();
  // The thread takes no signal but the interrupt: signals of the process are for the main thread.
  sigset_t blocked;
  sigset_t before;
  sigfillset(&blocked);
  sigdelset(&blocked, InterruptSignal());
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  try {
    thread_ = std::thread([this, &state, number, id, copy]() mutable {
      error_ = Rdma().connect(id, &copy) == 0 ? 0 : errno;
      ended_.store(true, std::memory_order_release);
      state.DispatchSoon(number);
    });
  } catch (const std::system_error&) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

BlockingConnect::~BlockingConnect() {
  while (!ended()) {
    // Repeatedly, because one signal may come before the thread blocks.
    InterruptIfSilent();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  thread_.join();
}

void BlockingConnect::InterruptIfSilent() {
  if (ended() || std::chrono::steady_clock::now() - began_ < kTimeToAnswer) return;
  pthread_kill(thread_.native_handle(), InterruptSignal());
}

}  // namespace netts
