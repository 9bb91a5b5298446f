#include "memory_access.h"

#include <algorithm>
#include <cstring>

#include "memory_keys.h"

namespace loopback {
namespace {

// Calls `copy(memory, byte_length)` for each piece of the range.
template <typename Copy>
void ForEachPiece(const ibv_sge* elements, uint32_t count, uint32_t offset, uint32_t byte_length, Copy copy) {
  for (uint32_t index = 0; index < count && byte_length > 0; ++index) {
    const uint32_t length = elements[index].length;
    if (offset >= length) {
      offset -= length;
      continue;
    }
    const uint32_t piece = std::min(length - offset, byte_length);
    copy(At(elements[index].addr) + offset, piece);
    byte_length -= piece;
    offset = 0;
  }
}

}  // namespace

bool MayUse(const QueuePair& pair, const ibv_sge* elements, uint32_t count, int access) {
  const MemoryKeys& keys = MemoryKeys::Get();
  return std::all_of(elements, elements + count, [&](const ibv_sge& element) {
    return element.length == 0 || keys.Allows(pair, element.lkey, element.addr, element.length, access);
  });
}

uint64_t TotalBytes(const ibv_sge* elements, uint32_t count) {
  uint64_t total = 0;
  for (uint32_t index = 0; index < count; ++index) total += elements[index].length;
  return total;
}

void Gather(const ibv_sge* elements, uint32_t count, uint32_t offset, uint32_t byte_length, uint8_t* to) {
  ForEachPiece(elements, count, offset, byte_length, [&to](const uint8_t* memory, uint32_t piece) {
    std::memcpy(to, memory, piece);
    to += piece;
  });
}

void Scatter(const ibv_sge* elements, uint32_t count, uint32_t offset, uint32_t byte_length, const uint8_t* from) {
  ForEachPiece(elements, count, offset, byte_length, [&from](uint8_t* memory, uint32_t piece) {
    std::memcpy(memory, from, piece);
    from += piece;
  });
}

}  // namespace loopback
