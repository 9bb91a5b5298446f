// What travels on the wire: a header and up to kMaxPayloadBytes, in one piece in a ring.
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>

#include "../base/clock.h"

namespace loopback {

// As the port's MTU says.
constexpr uint32_t kMaxPayloadBytes = 4096;

enum class PacketKind : uint8_t {
  // What is left of the ring up to its end: the next packet is at its beginning.
  kFiller,
  // Requests.
  kSend,
  kWrite,
  kRead,
  kCompareAndSwap,
  kFetchAndAdd,
  // Responses.
  kAcknowledge,
  kData,
};

struct PacketFlag {
  static constexpr uint8_t kFirst = 1;
  static constexpr uint8_t kLast = 2;
  static constexpr uint8_t kImmediate = 4;
  static constexpr uint8_t kSolicited = 8;
  // The requester is told at once when it was done. Otherwise it learns by looking.
  static constexpr uint8_t kTell = 16;
  // `immediate` is a key of the receiver's that the message invalidates.
  static constexpr uint8_t kInvalidate = 32;
};

struct Packet {
  // When it is there. The receiver does not look at it before.
  Ticks due;
  // Of the work request, counted from 0 by the requester. A response concerns it, and acknowledges all before it.
  uint64_t sequence;
  uint64_t remote_address;
  uint64_t compare_or_add;
  uint64_t swap;
  uint32_t remote_key;
  // As ibv_send_wr has it: in network byte order, but for a key.
  uint32_t immediate;
  uint32_t payload_bytes;
  uint32_t message_bytes;
  // Of the payload within the message.
  uint32_t offset;
  PacketKind kind;
  uint8_t flags;
  // An ibv_wc_status, of kAcknowledge.
  uint8_t status;

  bool is_first() const { return (flags & PacketFlag::kFirst) != 0; }
  bool is_last() const { return (flags & PacketFlag::kLast) != 0; }
  uint8_t* payload() { return reinterpret_cast<uint8_t*>(this + 1); }
};
static_assert(sizeof(Packet) == 64, "a cache line");

}  // namespace loopback
