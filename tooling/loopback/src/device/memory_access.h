// Reading and writing the memory that scatter/gather elements name, as a device does: nothing without its key.
#pragma once

#include <infiniband/verbs.h>

#include <cstdint>

namespace loopback {

class QueuePair;

// Whether the queue pair may use the memory: for writing into it with IBV_ACCESS_LOCAL_WRITE, else 0.
bool MayUse(const QueuePair& pair, const ibv_sge* elements, uint32_t count, int access);

uint64_t TotalBytes(const ibv_sge* elements, uint32_t count);

// Copies `byte_length` bytes from `offset` of what the elements name together. They have that many.
void Gather(const ibv_sge* elements, uint32_t count, uint32_t offset, uint32_t byte_length, uint8_t* to);
void Scatter(const ibv_sge* elements, uint32_t count, uint32_t offset, uint32_t byte_length, const uint8_t* from);

inline uint8_t* At(uint64_t address) { return reinterpret_cast<uint8_t*>(address); }

}  // namespace loopback
