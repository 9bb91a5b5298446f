#include "layout.h"

#include <cstddef>
#include <initializer_list>
#include <utility>

#include "loader/verbs_api.h"

namespace netts {
namespace {

using Numbers = std::initializer_list<std::pair<const char*, size_t>>;

void Set(Napi::Object layout, const char* name, Numbers numbers) {
  Napi::Object out = Napi::Object::New(layout.Env());
  for (const auto& [key, value] : numbers) out.Set(key, static_cast<double>(value));
  layout.Set(name, out);
}

}  // namespace

#define NETTS_WORD(Record, field) (offsetof(Record, field) / sizeof(uint32_t))

Napi::Object DescribeLayout(Napi::Env env) {
  Napi::Object out = Napi::Object::New(env);
  Set(out, "ENTRY",
      {{"regionId", NETTS_WORD(EntryRecord, region_id)},
       {"byteOffset", NETTS_WORD(EntryRecord, byte_offset)},
       {"byteLength", NETTS_WORD(EntryRecord, byte_length)},
       {"reserved", NETTS_WORD(EntryRecord, reserved)},
       {"words", sizeof(EntryRecord) / sizeof(uint32_t)}});
  Set(out, "SEND",
      {{"opcode", NETTS_WORD(SendRecord, opcode)},
       {"flags", NETTS_WORD(SendRecord, flags)},
       {"idLow", NETTS_WORD(SendRecord, id_low)},
       {"idHigh", NETTS_WORD(SendRecord, id_high)},
       {"entryCount", NETTS_WORD(SendRecord, entry_count)},
       {"immediate", NETTS_WORD(SendRecord, immediate)},
       {"remoteAddressLow", NETTS_WORD(SendRecord, remote_address_low)},
       {"remoteAddressHigh", NETTS_WORD(SendRecord, remote_address_high)},
       {"remoteKey", NETTS_WORD(SendRecord, remote_key)},
       {"windowId", NETTS_WORD(SendRecord, window_id)},
       {"windowAccess", NETTS_WORD(SendRecord, window_access)},
       {"reserved", NETTS_WORD(SendRecord, reserved)},
       {"compareOrAddLow", NETTS_WORD(SendRecord, compare_or_add_low)},
       {"compareOrAddHigh", NETTS_WORD(SendRecord, compare_or_add_high)},
       {"swapLow", NETTS_WORD(SendRecord, swap_low)},
       {"swapHigh", NETTS_WORD(SendRecord, swap_high)},
       {"headerWords", sizeof(SendRecord) / sizeof(uint32_t)}});
  Set(out, "RECEIVE",
      {{"idLow", NETTS_WORD(ReceiveRecord, id_low)},
       {"idHigh", NETTS_WORD(ReceiveRecord, id_high)},
       {"entryCount", NETTS_WORD(ReceiveRecord, entry_count)},
       {"reserved", NETTS_WORD(ReceiveRecord, reserved)},
       {"headerWords", sizeof(ReceiveRecord) / sizeof(uint32_t)}});
  Set(out, "COMPLETION",
      {{"idLow", NETTS_WORD(CompletionRecord, id_low)},
       {"idHigh", NETTS_WORD(CompletionRecord, id_high)},
       {"status", NETTS_WORD(CompletionRecord, status)},
       {"opcode", NETTS_WORD(CompletionRecord, opcode)},
       {"flags", NETTS_WORD(CompletionRecord, flags)},
       {"byteLength", NETTS_WORD(CompletionRecord, byte_length)},
       {"immediate", NETTS_WORD(CompletionRecord, immediate)},
       {"queuePairNumber", NETTS_WORD(CompletionRecord, queue_pair_number)},
       {"vendorError", NETTS_WORD(CompletionRecord, vendor_error)},
       {"words", sizeof(CompletionRecord) / sizeof(uint32_t)}});
  Set(out, "SendOpcode",
      {{"write", IBV_WR_RDMA_WRITE},
       {"writeWithImmediate", IBV_WR_RDMA_WRITE_WITH_IMM},
       {"send", IBV_WR_SEND},
       {"sendWithImmediate", IBV_WR_SEND_WITH_IMM},
       {"read", IBV_WR_RDMA_READ},
       {"compareAndSwap", IBV_WR_ATOMIC_CMP_AND_SWP},
       {"fetchAndAdd", IBV_WR_ATOMIC_FETCH_AND_ADD},
       {"localInvalidate", IBV_WR_LOCAL_INV},
       {"bindWindow", IBV_WR_BIND_MW},
       {"sendWithInvalidate", IBV_WR_SEND_WITH_INV}});
  Set(out, "SendFlag",
      {{"fence", IBV_SEND_FENCE},
       {"signalled", IBV_SEND_SIGNALED},
       {"solicited", IBV_SEND_SOLICITED},
       {"inline", IBV_SEND_INLINE}});
  Set(out, "AccessFlag",
      {{"localWrite", IBV_ACCESS_LOCAL_WRITE},
       {"remoteWrite", IBV_ACCESS_REMOTE_WRITE},
       {"remoteRead", IBV_ACCESS_REMOTE_READ},
       {"remoteAtomic", IBV_ACCESS_REMOTE_ATOMIC},
       {"windowBind", IBV_ACCESS_MW_BIND},
       {"relaxedOrdering", IBV_ACCESS_RELAXED_ORDERING}});
  Set(out, "CompletionOpcode",
      {{"send", IBV_WC_SEND},
       {"write", IBV_WC_RDMA_WRITE},
       {"read", IBV_WC_RDMA_READ},
       {"compareAndSwap", IBV_WC_COMP_SWAP},
       {"fetchAndAdd", IBV_WC_FETCH_ADD},
       {"bindWindow", IBV_WC_BIND_MW},
       {"localInvalidate", IBV_WC_LOCAL_INV},
       {"receive", IBV_WC_RECV},
       {"receiveWriteWithImmediate", IBV_WC_RECV_RDMA_WITH_IMM}});
  Set(out, "CompletionFlag", {{"withImmediate", IBV_WC_WITH_IMM}, {"withInvalidate", IBV_WC_WITH_INV}});
  Set(out, "CompletionStatus",
      {{"success", IBV_WC_SUCCESS},
       {"localLengthError", IBV_WC_LOC_LEN_ERR},
       {"localQpOperationError", IBV_WC_LOC_QP_OP_ERR},
       {"localEecOperationError", IBV_WC_LOC_EEC_OP_ERR},
       {"localProtectionError", IBV_WC_LOC_PROT_ERR},
       {"flushed", IBV_WC_WR_FLUSH_ERR},
       {"windowBindError", IBV_WC_MW_BIND_ERR},
       {"badResponseError", IBV_WC_BAD_RESP_ERR},
       {"localAccessError", IBV_WC_LOC_ACCESS_ERR},
       {"remoteInvalidRequestError", IBV_WC_REM_INV_REQ_ERR},
       {"remoteAccessError", IBV_WC_REM_ACCESS_ERR},
       {"remoteOperationError", IBV_WC_REM_OP_ERR},
       {"retryExceeded", IBV_WC_RETRY_EXC_ERR},
       {"rnrRetryExceeded", IBV_WC_RNR_RETRY_EXC_ERR},
       {"localRddViolationError", IBV_WC_LOC_RDD_VIOL_ERR},
       {"remoteInvalidRdRequestError", IBV_WC_REM_INV_RD_REQ_ERR},
       {"remoteAbortedError", IBV_WC_REM_ABORT_ERR},
       {"invalidEecNumberError", IBV_WC_INV_EECN_ERR},
       {"invalidEecStateError", IBV_WC_INV_EEC_STATE_ERR},
       {"fatalError", IBV_WC_FATAL_ERR},
       {"responseTimeout", IBV_WC_RESP_TIMEOUT_ERR},
       {"generalError", IBV_WC_GENERAL_ERR}});
  return out;
}

}  // namespace netts
