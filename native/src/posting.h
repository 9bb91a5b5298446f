// From the records that JavaScript wrote to verbs work requests: every field is checked here, so that no
// record can name memory that is not registered, or make the device read or write outside of a region.
#pragma once

#include <cstdint>
#include <string>

#include "direct_call.h"
#include "env_state.h"
#include "layout.h"
#include "loader/verbs_api.h"
#include "util/errors.h"
#include "util/shared_memory.h"

namespace netts {

// What the records of one queue may contain.
struct PostingLimits {
  const ProtectionDomain* domain;
  uint32_t max_entries;
  uint32_t max_inline_bytes;
  // Operations the device lacks, as bits `1 << ibv_wr_opcode`.
  uint32_t unsupported_opcodes;
  // On siw a request without an element needs an empty one: siw refuses a receive without any, and for a Read without
  // any it uses the element of an earlier request (siw_activate_tx() in drivers/infiniband/sw/siw/siw_qp.c).
  bool needs_an_element;
};

// Why a batch was refused; nothing of it was posted.
struct Refusal {
  // The code of the NettsError; nullptr when the batch is valid.
  const char* code = nullptr;
  std::string message;
};

// A chain of work requests in the environment's scratch memory, valid until the next one is built.
Refusal BuildSends(EnvState& state, const PostingLimits& limits, const uint32_t* records, size_t record_words,
                   uint32_t count, ibv_send_wr** chain);
Refusal BuildReceives(EnvState& state, const PostingLimits& limits, const uint32_t* records, size_t record_words,
                      uint32_t count, ibv_recv_wr** chain);

// The records of a posting call: the first, and how many.
struct Batch {
  const uint32_t* records;
  size_t record_words;
  uint32_t count;
};
Batch BatchOf(Napi::Env env, const Numbers<2>& first_and_count, const SharedMemory& requests, uint32_t max_requests,
              size_t record_bytes);
// How many of `count` were posted: those before `bad`, the first that was refused. siw reports a full queue by `bad`
// only, without an error. After an error without `bad`, none counts as posted.
template <typename Request>
size_t CountPosted(uint32_t count, int error, const Request* bad, const Request* chain) {
  if (bad != nullptr) return static_cast<size_t>(bad - chain);
  return error == 0 ? count : 0;
}
// Returns that number. Throws when the device refused for another reason than a full queue.
int64_t Posted(Napi::Env env, const char* syscall, int result, size_t posted);

template <typename Post>
int64_t PostReceives(Napi::Env env, const Numbers<2>& first_and_count, EnvState& state, const PostingLimits& limits,
                     const SharedMemory& requests, uint32_t max_requests, Post post) {
  const Batch batch = BatchOf(env, first_and_count, requests, max_requests,
                              sizeof(ReceiveRecord) + limits.max_entries * sizeof(EntryRecord));
  if (batch.count == 0) return 0;
  ibv_recv_wr* chain = nullptr;
  const Refusal refusal = BuildReceives(state, limits, batch.records, batch.record_words, batch.count, &chain);
  if (refusal.code != nullptr) throw CodedError(env, refusal.code, refusal.message);
  ibv_recv_wr* bad = nullptr;
  const int error = post(chain, &bad);
  return Posted(env, "ibv_post_recv", error, CountPosted(batch.count, error, bad, chain));
}

}  // namespace netts
