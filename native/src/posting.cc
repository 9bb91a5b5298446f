#include "posting.h"

#include <arpa/inet.h>

#include <cerrno>

#include "env_state.h"
#include "objects/memory_region.h"
#include "objects/memory_window.h"

namespace netts {
namespace {

constexpr const char* kInvalid = "ERR_NETTS_INVALID_ARGUMENT";
constexpr uint32_t kKnownFlags = IBV_SEND_FENCE | IBV_SEND_SIGNALED | IBV_SEND_SOLICITED | IBV_SEND_INLINE;
constexpr uint32_t kWindowAccess = IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC;

Refusal Invalid(uint32_t record, const std::string& what) {
  return {kInvalid, "work request " + std::to_string(record) + ": " + what};
}

// The region that an entry names, if the range is within it; else nullptr, and the reason in `refusal`.
const MemoryRegion* FindRange(const EnvState& state, const ProtectionDomain* domain, const EntryRecord& entry,
                              uint32_t record, Refusal* refusal) {
  const MemoryRegion* region = state.regions.Find(entry.region_id);
  if (region == nullptr || region->domain() != domain) {
    *refusal = Invalid(record, region == nullptr ? "there is no open region of this id"
                                                 : "the region belongs to another protection domain");
    return nullptr;
  }
  // In 64 bits, so that the sum can't wrap.
  if (uint64_t{entry.byte_offset} + entry.byte_length > region->byte_length()) {
    *refusal = Invalid(record, "range " + std::to_string(entry.byte_offset) + "+" +
                                   std::to_string(entry.byte_length) + " is not within the region's " +
                                   std::to_string(region->byte_length()) + " bytes");
    return nullptr;
  }
  return region;
}

// Writes `count` scatter/gather elements; adds up their lengths.
bool FillEntries(const EnvState& state, const ProtectionDomain* domain, const EntryRecord* entries, uint32_t count,
                 uint32_t record, ibv_sge* out, uint64_t* total, Refusal* refusal) {
  for (uint32_t index = 0; index < count; ++index) {
    const MemoryRegion* region = FindRange(state, domain, entries[index], record, refusal);
    if (region == nullptr) return false;
    out[index].addr = region->address() + entries[index].byte_offset;
    out[index].length = entries[index].byte_length;
    out[index].lkey = region->local_key();
    *total += entries[index].byte_length;
  }
  return true;
}

bool FillBind(const EnvState& state, const ProtectionDomain* domain, const SendRecord& from,
              const EntryRecord* entries, uint32_t record, ibv_send_wr* to, Refusal* refusal) {
  if (from.entry_count != 1) {
    *refusal = Invalid(record, "binding takes exactly one entry");
    return false;
  }
  MemoryWindow* window = state.windows.Find(from.window_id);
  if (window == nullptr || window->domain() != domain) {
    *refusal = Invalid(record, "there is no open window of this id in the protection domain");
    return false;
  }
  if ((from.window_access & ~kWindowAccess) != 0) {
    *refusal = Invalid(record, "a window grants remoteRead, remoteWrite and remoteAtomic only");
    return false;
  }
  const MemoryRegion* region = FindRange(state, domain, entries[0], record, refusal);
  if (region == nullptr) return false;
  const uint64_t address = region->address() + entries[0].byte_offset;
  if (Join(from.remote_address_low, from.remote_address_high) != address) {
    *refusal = Invalid(record, "a window begins at the remote address of the range that it is bound to");
    return false;
  }
  // The array may contain the value of an earlier request, and rxe's library refuses a bind with immediate data.
  to->imm_data = 0;
  to->bind_mw.mw = window->verbs();
  to->bind_mw.rkey = from.remote_key;
  to->bind_mw.bind_info = {region->verbs(), address, entries[0].byte_length, from.window_access};
  return true;
}

bool FillSend(const EnvState& state, const PostingLimits& limits, const SendRecord& from, uint32_t record,
              ibv_send_wr* to, ibv_sge* sges, Refusal* refusal) {
  const auto* entries = reinterpret_cast<const EntryRecord*>(&from + 1);
  if (from.opcode > IBV_WR_SEND_WITH_INV) {
    *refusal = Invalid(record, "unknown opcode " + std::to_string(from.opcode));
    return false;
  }
  if ((limits.unsupported_opcodes >> from.opcode & 1) != 0) {
    *refusal = {"ERR_NETTS_UNSUPPORTED",
                "work request " + std::to_string(record) + ": the device lacks this operation"};
    return false;
  }
  if ((from.flags & ~kKnownFlags) != 0) {
    *refusal = Invalid(record, "unknown flags " + std::to_string(from.flags));
    return false;
  }
  if (from.entry_count > limits.max_entries) {
    *refusal = Invalid(record, std::to_string(from.entry_count) + " entries, more than maxSendEntries (" +
                                   std::to_string(limits.max_entries) + ")");
    return false;
  }
  to->wr_id = Join(from.id_low, from.id_high);
  to->next = to + 1;
  to->sg_list = sges;
  to->num_sge = static_cast<int>(from.entry_count);
  to->opcode = static_cast<ibv_wr_opcode>(from.opcode);
  to->send_flags = from.flags;
  uint64_t total = 0;
  switch (to->opcode) {
    case IBV_WR_BIND_MW:
      to->num_sge = 0;
      return FillBind(state, limits.domain, from, entries, record, to, refusal);
    case IBV_WR_LOCAL_INV:
      to->num_sge = 0;
      to->invalidate_rkey = from.immediate;
      return true;
    case IBV_WR_ATOMIC_CMP_AND_SWP:
    case IBV_WR_ATOMIC_FETCH_AND_ADD:
      to->wr.atomic.remote_addr = Join(from.remote_address_low, from.remote_address_high);
      to->wr.atomic.rkey = from.remote_key;
      to->wr.atomic.compare_add = Join(from.compare_or_add_low, from.compare_or_add_high);
      to->wr.atomic.swap = Join(from.swap_low, from.swap_high);
      if (!FillEntries(state, limits.domain, entries, from.entry_count, record, sges, &total, refusal)) return false;
      if (from.entry_count != 1 || total != 8 || to->wr.atomic.remote_addr % 8 != 0) {
        *refusal = Invalid(record, "an atomic takes one entry of 8 bytes and a remote address divisible by 8");
        return false;
      }
      break;
    case IBV_WR_SEND_WITH_INV:
      to->invalidate_rkey = from.immediate;
      if (!FillEntries(state, limits.domain, entries, from.entry_count, record, sges, &total, refusal)) return false;
      break;
    case IBV_WR_RDMA_WRITE_WITH_IMM:
    case IBV_WR_RDMA_WRITE:
    case IBV_WR_RDMA_READ:
      to->wr.rdma.remote_addr = Join(from.remote_address_low, from.remote_address_high);
      to->wr.rdma.rkey = from.remote_key;
      [[fallthrough]];
    default:
      to->imm_data = htonl(from.immediate);
      if (!FillEntries(state, limits.domain, entries, from.entry_count, record, sges, &total, refusal)) return false;
      if (to->opcode == IBV_WR_RDMA_READ && from.entry_count == 0 && limits.needs_an_element) {
        sges[0] = {};
        to->num_sge = 1;
      }
  }
  if (total > UINT32_MAX) {
    *refusal = Invalid(record, "a message has at most 4 GiB - 1 bytes");
    return false;
  }
  if ((from.flags & IBV_SEND_INLINE) != 0) {
    if (to->opcode > IBV_WR_SEND_WITH_IMM && to->opcode != IBV_WR_SEND_WITH_INV) {
      *refusal = Invalid(record, "only Send and Write can be inline");
      return false;
    }
    if (total > limits.max_inline_bytes) {
      *refusal = Invalid(record, std::to_string(total) + " inline bytes, more than maxInlineBytes (" +
                                     std::to_string(limits.max_inline_bytes) + ")");
      return false;
    }
  }
  return true;
}

template <typename T>
void Reserve(std::vector<T>* scratch, size_t size) {
  if (scratch->size() < size) scratch->resize(size);
}

}  // namespace

Refusal BuildSends(EnvState& state, const PostingLimits& limits, const uint32_t* records, size_t record_words,
                   uint32_t count, ibv_send_wr** chain) {
  Reserve(&state.send_scratch, count);
  Reserve(&state.entry_scratch, size_t{count} * limits.max_entries);
  ibv_send_wr* out = state.send_scratch.data();
  ibv_sge* sges = state.entry_scratch.data();
  Refusal refusal;
  for (uint32_t index = 0; index < count; ++index) {
    const auto& from = *reinterpret_cast<const SendRecord*>(records + index * record_words);
    if (!FillSend(state, limits, from, index, &out[index], sges, &refusal)) return refusal;
    sges += limits.max_entries;
  }
  if (count > 0) out[count - 1].next = nullptr;
  *chain = out;
  return refusal;
}

Refusal BuildReceives(EnvState& state, const PostingLimits& limits, const uint32_t* records, size_t record_words,
                      uint32_t count, ibv_recv_wr** chain) {
  Reserve(&state.receive_scratch, count);
  Reserve(&state.entry_scratch, size_t{count} * limits.max_entries);
  ibv_recv_wr* out = state.receive_scratch.data();
  ibv_sge* sges = state.entry_scratch.data();
  Refusal refusal;
  for (uint32_t index = 0; index < count; ++index) {
    const auto& from = *reinterpret_cast<const ReceiveRecord*>(records + index * record_words);
    if (from.entry_count > limits.max_entries) {
      return Invalid(index, std::to_string(from.entry_count) + " entries, more than the " +
                                std::to_string(limits.max_entries) + " of this queue");
    }
    uint64_t total = 0;
    const auto* entries = reinterpret_cast<const EntryRecord*>(&from + 1);
    if (!FillEntries(state, limits.domain, entries, from.entry_count, index, sges, &total, &refusal)) return refusal;
    const bool add_empty = from.entry_count == 0 && limits.needs_an_element;
    if (add_empty) sges[0] = {};
    const uint32_t elements = add_empty ? 1 : from.entry_count;
    out[index] = {Join(from.id_low, from.id_high), &out[index] + 1, sges, static_cast<int>(elements)};
    sges += limits.max_entries;
  }
  if (count > 0) out[count - 1].next = nullptr;
  *chain = out;
  return refusal;
}

Batch BatchOf(Napi::Env env, const Numbers<2>& first_and_count, const SharedMemory& requests, uint32_t max_requests,
              size_t record_bytes) {
  const auto [first, count] = first_and_count;
  if (uint64_t{first} + count > max_requests) {
    throw CodedError(env, kInvalid,
                     "first and count must name records within the " + std::to_string(max_requests) + " of the array");
  }
  const size_t record_words = record_bytes / sizeof(uint32_t);
  const auto* words = reinterpret_cast<const uint32_t*>(requests.data());
  return {words + first * record_words, record_words, count};
}

int64_t Posted(Napi::Env env, const char* syscall, int result, size_t posted) {
  const int error = Errno(result);
  // Every provider reports a full queue as ENOMEM.
  if (error != 0 && error != ENOMEM) {
    Napi::Error failure = SystemError(env, syscall, error);
    failure.Set("posted", Napi::Number::New(env, static_cast<double>(posted)));
    throw failure;
  }
  return static_cast<int64_t>(posted);
}

}  // namespace netts
