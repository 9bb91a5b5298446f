// What moves things: one a process, with one lock. There are no threads of its own. Whoever calls into the library
// has everything done that is due by then, for all queue pairs of the process.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <vector>

#include "../base/clock.h"
#include "../wire/host.h"

namespace loopback {

class QueuePair;

class Engine {
 public:
  static Engine& Get();

  // Every function that the library exports holds one while it touches what is shared.
  class Entered {
   public:
    Entered() : engine_(Get()) { pthread_mutex_lock(&engine_.mutex_); }
    ~Entered() {
      if (tells_peers_) engine_.TellPeers();
      engine_.SleepNoLongerThanDue();
      pthread_mutex_unlock(&engine_.mutex_);
    }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;
    Engine* operator->() { return &engine_; }
    // Peers may wait for the next call: what was found here is about to be answered.
    void LeaveInHaste() { tells_peers_ = false; }

   private:
    Engine& engine_;
    bool tells_peers_ = true;
  };

  // The queue pair's index, by which peers name it, or kMaxQueuePairs: there are no more.
  uint32_t Add(QueuePair* pair);
  void Remove(QueuePair* pair, uint32_t index);
  template <typename Visit>
  void ForEach(Visit visit) {
    for (size_t index = 0; index < pairs_.size(); ++index) {
      if (pairs_[index] != nullptr) visit(*pairs_[index]);
    }
  }

  // Does what is due.
  void Progress();
  // The same, and what this causes within the process.
  void Settle();

  // The queue pair has something to do then.
  void Schedule(QueuePair* pair, Ticks due);

  // Tells the pair's peer with the next post on the pair, or at the end of the call, whichever is first.
  void TellPeerSoon(QueuePair* pair, Ticks due);
  void TellPeers();

  // When a message of so many bytes is at the other end that leaves at `departure` at the earliest.
  Ticks Arrival(uint32_t byte_length, Ticks departure);

  // How many completion queues are armed: the process may sleep while there are.
  void CountArmed(int change);
  // The process polled a queue that is not armed. Until it arms one it comes back to that, whatever else is armed.
  void SetSpinning(bool is_spinning);
  // To be called by whoever was woken.
  void WokeUp();

 private:
  struct Appointment {
    Ticks due;
    QueuePair* pair;
    bool operator<(const Appointment& other) const { return due > other.due; }
  };

  Engine();
  void TellWhetherItMaySleep();
  void SleepNoLongerThanDue();
  void ForgetPastWake();

  pthread_mutex_t mutex_;
  Host& host_;
  std::vector<QueuePair*> pairs_;
  std::vector<uint32_t> free_indices_;
  // A heap, the earliest in front.
  std::vector<Appointment> agenda_;
  std::vector<QueuePair*> to_tell_;
  Ticks link_free_ = 0;
  uint32_t armed_ = 0;
  bool is_spinning_ = false;
  // Of those that were set, up to this one.
  uint32_t timers_gone_off_ = 0;
};

}  // namespace loopback
