// The records in the arrays that JavaScript and C++ share. lib/verbs/layout.ts has the numbers; when the addon is
// loaded, they are compared with the offsets reported here.
#pragma once

#include <napi.h>

#include <cstdint>

namespace netts {

struct EntryRecord {
  uint32_t region_id;
  uint32_t byte_offset;
  uint32_t byte_length;
  uint32_t reserved;
};

struct SendRecord {
  uint32_t opcode;
  uint32_t flags;
  uint32_t id_low;
  uint32_t id_high;
  uint32_t entry_count;
  uint32_t immediate;
  uint32_t remote_address_low;
  uint32_t remote_address_high;
  uint32_t remote_key;
  uint32_t window_id;
  uint32_t window_access;
  uint32_t reserved;
  uint32_t compare_or_add_low;
  uint32_t compare_or_add_high;
  uint32_t swap_low;
  uint32_t swap_high;
};

struct ReceiveRecord {
  uint32_t id_low;
  uint32_t id_high;
  uint32_t entry_count;
  uint32_t reserved;
};

struct CompletionRecord {
  uint32_t id_low;
  uint32_t id_high;
  uint32_t status;
  uint32_t opcode;
  uint32_t flags;
  uint32_t byte_length;
  uint32_t immediate;
  uint32_t queue_pair_number;
  uint32_t vendor_error;
};

// Joins a 64-bit value that JavaScript keeps in two words.
inline uint64_t Join(uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; }

// An object of the shape of LAYOUT in lib/verbs/layout.ts.
Napi::Object DescribeLayout(Napi::Env env);

}  // namespace netts
