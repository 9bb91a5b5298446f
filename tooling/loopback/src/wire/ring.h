// A ring of packets in memory that one process writes and another reads, without locks: either may die at any moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "packet.h"

namespace loopback {

// The positions count bytes ever written and ever read. A ring is followed by its bytes.
struct RingPositions {
  alignas(64) std::atomic<uint64_t> written;
  alignas(64) std::atomic<uint64_t> read;
  // The writer found no room: it wants to be told when there is some.
  std::atomic<uint32_t> writer_waits;
};

template <uint32_t kBytes>
struct Ring {
  static_assert(kBytes % 64 == 0 && kBytes >= 4 * (sizeof(Packet) + kMaxPayloadBytes));
  RingPositions positions;
  alignas(64) uint8_t bytes[kBytes];
};

constexpr uint32_t PacketBytes(uint32_t payload_bytes) {
  return (static_cast<uint32_t>(sizeof(Packet)) + payload_bytes + 63) / 64 * 64;
}

class RingWriter {
 public:
  RingWriter() = default;
  template <uint32_t kBytes>
  explicit RingWriter(Ring<kBytes>* ring) : positions_(&ring->positions), bytes_(ring->bytes), capacity_(kBytes) {}

  // Whether a packet fits. If not, the reader will say when it made room.
  bool HasRoom(uint32_t payload_bytes) {
    const uint32_t needed = PacketBytes(payload_bytes);
    // In front of the ring's end there may be less than that, which is filled then.
    const uint64_t worst = uint64_t{needed} + (capacity_ - at(written_) < needed ? capacity_ - at(written_) : 0);
    if (Free() >= worst) return true;
    read_ = positions_->read.load(std::memory_order_acquire);
    if (Free() >= worst) return true;
    // Say so, then look again; the reader makes room, then looks whether somebody said so.
    positions_->writer_waits.store(1, std::memory_order_seq_cst);
    read_ = positions_->read.load(std::memory_order_seq_cst);
    return Free() >= worst;
  }

  // Where the next packet goes, for which there is room. The caller fills it in and commits it.
  Packet* Next(uint32_t payload_bytes) {
    const uint32_t left = capacity_ - at(written_);
    if (left < PacketBytes(payload_bytes)) {
      // Positions are multiples of 64: a filler's header always fits.
      reinterpret_cast<Packet*>(bytes_ + at(written_))->kind = PacketKind::kFiller;
      written_ += left;
    }
    return reinterpret_cast<Packet*>(bytes_ + at(written_));
  }

  void Commit(uint32_t payload_bytes) {
    written_ += PacketBytes(payload_bytes);
    positions_->written.store(written_, std::memory_order_release);
  }

 private:
  uint32_t at(uint64_t position) const { return static_cast<uint32_t>(position % capacity_); }
  uint64_t Free() const { return capacity_ - (written_ - read_); }

  RingPositions* positions_ = nullptr;
  uint8_t* bytes_ = nullptr;
  uint32_t capacity_ = 1;
  uint64_t written_ = 0;
  uint64_t read_ = 0;
};

class RingReader {
 public:
  RingReader() = default;
  template <uint32_t kBytes>
  explicit RingReader(Ring<kBytes>* ring) : positions_(&ring->positions), bytes_(ring->bytes), capacity_(kBytes) {}

  // The oldest packet, due or not; nullptr: there is none.
  Packet* Front() {
    for (;;) {
      if (read_ == written_) {
        written_ = positions_->written.load(std::memory_order_acquire);
        if (read_ == written_) return nullptr;
      }
      auto* packet = reinterpret_cast<Packet*>(bytes_ + read_ % capacity_);
      if (packet->kind != PacketKind::kFiller) return packet;
      read_ += capacity_ - read_ % capacity_;
    }
  }

  void Pop(const Packet& packet) { read_ += PacketBytes(packet.payload_bytes); }

  // Gives what was popped back to the writer. Returns whether the writer waits for it.
  bool Release() {
    if (read_ == released_) return false;
    released_ = read_;
    positions_->read.store(read_, std::memory_order_seq_cst);
    return positions_->writer_waits.load(std::memory_order_seq_cst) != 0 &&
           positions_->writer_waits.exchange(0, std::memory_order_seq_cst) != 0;
  }

 private:
  RingPositions* positions_ = nullptr;
  uint8_t* bytes_ = nullptr;
  uint32_t capacity_ = 1;
  uint64_t read_ = 0;
  uint64_t written_ = 0;
  uint64_t released_ = 0;
};

}  // namespace loopback
