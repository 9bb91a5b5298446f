#include "engine.h"

#include <algorithm>

#include "../base/settings.h"
#include "../base/watch.h"
#include "queue_pair.h"

namespace loopback {
namespace {

// What happens within a process goes back and forth: each round may cause the next. Time does not go on meanwhile,
// so that few are ever needed.
constexpr int kMaxRounds = 256;

// How long peers may wait for a program that polled, and then does something else.
constexpr double kTellsPeersWithinNs = 10e6;

}  // namespace

Engine& Engine::Get() {
  // Never destroyed: threads may outlive what is static.
  static auto* engine = new Engine;
  return *engine;
}

Engine::Engine() : host_(Host::Own()) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  // It is held for less than a thread needs to fall asleep.
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
  pthread_mutex_init(&mutex_, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

uint32_t Engine::Add(QueuePair* pair) {
  if (!free_indices_.empty()) {
    const uint32_t index = free_indices_.back();
    free_indices_.pop_back();
    pairs_[index] = pair;
    return index;
  }
  if (pairs_.size() == kMaxQueuePairs) return kMaxQueuePairs;
  pairs_.push_back(pair);
  return static_cast<uint32_t>(pairs_.size() - 1);
}

void Engine::Remove(QueuePair* pair, uint32_t index) {
  pairs_[index] = nullptr;
  free_indices_.push_back(index);
  to_tell_.erase(std::remove(to_tell_.begin(), to_tell_.end(), pair), to_tell_.end());
  const auto left = std::remove_if(agenda_.begin(), agenda_.end(),
                                   [pair](const Appointment& appointment) { return appointment.pair == pair; });
  agenda_.erase(left, agenda_.end());
  std::make_heap(agenda_.begin(), agenda_.end());
}

void Engine::Progress() {
  const Ticks now = Now();
  Mailbox& mailbox = host_.mailbox();
  for (int round = 0; round < kMaxRounds; ++round) {
    bool idle = true;
    if (mailbox.HasPost()) {
      idle = false;
      mailbox.Take([this, now](uint32_t index) {
        // A peer may name one that is gone.
        if (index < pairs_.size() && pairs_[index] != nullptr) pairs_[index]->Examine(now);
      });
    }
    while (!agenda_.empty() && agenda_.front().due <= now) {
      idle = false;
      const Appointment appointment = agenda_.front();
      std::pop_heap(agenda_.begin(), agenda_.end());
      agenda_.pop_back();
      if (appointment.pair->scheduled_at != appointment.due) continue;
      appointment.pair->scheduled_at = kNever;
      appointment.pair->Examine(now);
    }
    if (idle) return;
  }
}

void Engine::Settle() {
  Progress();
  for (int round = 0; round < kMaxRounds && !to_tell_.empty(); ++round) {
    TellPeers();
    Progress();
  }
}

void Engine::Schedule(QueuePair* pair, Ticks due) {
  if (due >= pair->scheduled_at) return;
  pair->scheduled_at = due;
  agenda_.push_back({due, pair});
  std::push_heap(agenda_.begin(), agenda_.end());
}

void Engine::TellPeerSoon(QueuePair* pair, Ticks due) {
  if (pair->tell_peer_due == kNever) to_tell_.push_back(pair);
  pair->tell_peer_due = std::min(pair->tell_peer_due, due);
}

void Engine::TellPeers() {
  for (QueuePair* pair : to_tell_) {
    if (pair->tell_peer_due != kNever) pair->TellPeer(pair->tell_peer_due);
  }
  to_tell_.clear();
}

Ticks Engine::Arrival(uint32_t byte_length, Ticks departure) {
  const Settings& settings = GetSettings();
  if (settings.ticks_per_byte == 0) return departure + settings.latency;
  link_free_ = std::max(link_free_, departure) + static_cast<Ticks>(settings.ticks_per_byte * byte_length);
  return link_free_ + settings.latency;
}

void Engine::CountArmed(int change) {
  armed_ += static_cast<uint32_t>(change);
  TellWhetherItMaySleep();
}

void Engine::SetSpinning(bool is_spinning) {
  if (is_spinning == is_spinning_) return;
  is_spinning_ = is_spinning;
  TellWhetherItMaySleep();
}

void Engine::TellWhetherItMaySleep() {
  host_.mailbox().may_sleep.store(armed_ > 0 && !is_spinning_, std::memory_order_seq_cst);
}

void Engine::WokeUp() {
  ForgetPastWake();
  // Whoever sets the timer counts it afterwards: one that went off and was not counted yet will be.
  const uint32_t set = host_.mailbox().timers_set.load(std::memory_order_seq_cst);
  if (set != timers_gone_off_ && TakeCount(host_.timer_fd()) > 0) timers_gone_off_ = set;
}

void Engine::ForgetPastWake() {
  const Ticks wakes_at = host_.mailbox().wakes_at();
  // If it fails, a peer has just chosen another moment.
  if (wakes_at <= Now()) host_.mailbox().ReplaceWake(wakes_at, kNever);
}

void Engine::SleepNoLongerThanDue() {
  // Nobody sets the timer for later than what it is set for. Where nothing is armed, its descriptor can be read until
  // whoever watches it comes by.
  if (armed_ > 0) ForgetPastWake();
  // Should the program not come back, as it does not have to.
  if (!to_tell_.empty()) host_.Wake(Now() + FromNanoseconds(kTellsPeersWithinNs));
  // What was posted to itself by then has no appointment yet.
  if (host_.mailbox().HasPost()) return host_.Wake(Now());
  if (!agenda_.empty()) host_.Wake(agenda_.front().due);
}

}  // namespace loopback
