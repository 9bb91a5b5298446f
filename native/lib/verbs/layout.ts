/**
 * The layout of the arrays that TypeScript and the provider share: work requests and completions are
 * records of 32-bit words (in the machine's byte order), one record after the other in one `Uint32Array`.
 *
 * This is the only place where the numbers stand. The addon has the same as C++ structs and reports the
 * offsets that its compiler chose; loading it fails when one differs from {@link LAYOUT}.
 *
 * The values of opcodes, flags and statuses are those of `infiniband/verbs.h` (rdma-core), which are part of
 * its ABI.
 */

/** Words of one gather or scatter entry, which follow the header of a work request. */
export const ENTRY = {
  /** {@link MemoryRegion.id} */
  regionId: 0,
  /** Where in the region it begins, in bytes. */
  byteOffset: 1,
  /** Its length in bytes. */
  byteLength: 2,
  /** Kept zero, so that entries stay aligned to 16 bytes. */
  reserved: 3,
  /** Words of one entry. */
  words: 4,
} as const

/** Words of a send work request's header; up to `maxSendEntries` entries follow it. */
export const SEND = {
  /** One of {@link SendOpcode}. */
  opcode: 0,
  /** {@link SendFlag}s, added together. */
  flags: 1,
  /** The work request's id, which its completion carries back: 64 bits of the program's own choice. */
  idLow: 2,
  idHigh: 3,
  /** How many entries follow the header: 0 for an empty message. Bind: exactly 1, naming the bound range. */
  entryCount: 4,
  /**
   * The immediate value of `sendWithImmediate` and `writeWithImmediate` as a number; the provider converts it
   * to network byte order. For `localInvalidate` and `sendWithInvalidate`, the key to invalidate.
   */
  immediate: 5,
  /** Write, Read, atomics: the peer's address. Bind: the address the window begins at. See `addresses.ts`. */
  remoteAddressLow: 6,
  remoteAddressHigh: 7,
  /** Write, Read, atomics: the key the peer gave. Bind: the key the window shall have. */
  remoteKey: 8,
  /** Bind: {@link MemoryWindow.id}. */
  windowId: 9,
  /** Bind: the {@link AccessFlag}s that the window grants. */
  windowAccess: 10,
  /** Kept zero. */
  reserved: 11,
  /** Compare-and-swap: the value to compare with. Fetch-and-add: the value to add. */
  compareOrAddLow: 12,
  compareOrAddHigh: 13,
  /** Compare-and-swap: the value to store when the comparison holds. */
  swapLow: 14,
  swapHigh: 15,
  /** Words of the header. */
  headerWords: 16,
} as const

/** Words of a receive work request's header; up to `maxReceiveEntries` entries follow it. */
export const RECEIVE = {
  idLow: 0,
  idHigh: 1,
  /** How many entries follow; 0 takes a Write with immediate, or an empty Send. */
  entryCount: 2,
  /** Kept zero. */
  reserved: 3,
  /** Words of the header. */
  headerWords: 4,
} as const

/**
 * Words of one completion. When `status` is not {@link CompletionStatus.success}, only the id, `status`,
 * `queuePairNumber` and `vendorError` mean anything: the others are undefined and must not be read.
 */
export const COMPLETION = {
  idLow: 0,
  idHigh: 1,
  /** One of {@link CompletionStatus}. */
  status: 2,
  /** One of {@link CompletionOpcode}. */
  opcode: 3,
  /** {@link CompletionFlag}s, added together. */
  flags: 4,
  /** Bytes received; bytes read for Read; 8 for atomics. */
  byteLength: 5,
  /**
   * The immediate value as a number, when `flags` has {@link CompletionFlag.withImmediate}; the key that the peer
   * invalidated, when it has {@link CompletionFlag.withInvalidate}.
   */
  immediate: 6,
  /** {@link QueuePair.number} */
  queuePairNumber: 7,
  /** The device's own error number, for its vendor's support. */
  vendorError: 8,
  /** Words of one completion. */
  words: 9,
} as const

/** What a send work request does (`enum ibv_wr_opcode`). */
export const SendOpcode = {
  write: 0,
  writeWithImmediate: 1,
  send: 2,
  sendWithImmediate: 3,
  read: 4,
  compareAndSwap: 5,
  fetchAndAdd: 6,
  localInvalidate: 7,
  bindWindow: 8,
  /** A Send that also invalidates a key of the peer's. See {@link DeviceCapabilities.sendWithInvalidate}. */
  sendWithInvalidate: 9,
} as const

/** How a send work request is carried out (`enum ibv_send_flags`). */
export const SendFlag = {
  /** Waits until every Read and atomic before it on the queue pair completed. */
  fence: 1,
  /** Completes with a completion; without, it is silent unless it fails. */
  signalled: 2,
  /** The peer's completion counts as solicited, see {@link CompletionQueue.arm}. */
  solicited: 4,
  /** The bytes are copied while posting, so that the memory is free again at once. Send and Write only. */
  inline: 8,
} as const

/** What a region or window lets happen to it (`enum ibv_access_flags`). Local reading is always allowed. */
export const AccessFlag = {
  localWrite: 1,
  /** Needs `localWrite` as well. */
  remoteWrite: 2,
  remoteRead: 4,
  /** Needs `localWrite` as well. */
  remoteAtomic: 8,
  /** Windows may be bound to the region. */
  windowBind: 16,
  /**
   * The device may carry out accesses to the region in another order than they came, which is faster on some hosts
   * (PCIe relaxed ordering). What a completion says has arrived has arrived all the same; a program that polls the memory
   * itself must not use it. A kernel or device without it takes no notice (`IBV_ACCESS_OPTIONAL_RANGE`).
   */
  relaxedOrdering: 1 << 20,
} as const

/** What completed (`enum ibv_wc_opcode`). */
export const CompletionOpcode = {
  send: 0,
  write: 1,
  read: 2,
  compareAndSwap: 3,
  fetchAndAdd: 4,
  bindWindow: 5,
  localInvalidate: 6,
  receive: 128,
  receiveWriteWithImmediate: 129,
} as const

/** What more a completion says (`enum ibv_wc_flags`). */
export const CompletionFlag = {
  withImmediate: 2,
  withInvalidate: 8,
} as const

/** How a work request ended (`enum ibv_wc_status`). */
export const CompletionStatus = {
  success: 0,
  /** The receive buffer is too small, or the message exceeds the port's maximum. */
  localLengthError: 1,
  /** The queue pair's request is inconsistent, or (iWARP) the connection was terminated. */
  localQpOperationError: 2,
  localEecOperationError: 3,
  /** A local entry names memory that is not registered for what the request does with it. */
  localProtectionError: 4,
  /** The queue pair went to the error state before the request was carried out. */
  flushed: 5,
  windowBindError: 6,
  badResponseError: 7,
  localAccessError: 8,
  /** The peer found the request invalid, such as a message larger than its receive buffer. */
  remoteInvalidRequestError: 9,
  /** The peer's memory protection refused it: key, bounds or access. */
  remoteAccessError: 10,
  remoteOperationError: 11,
  /** The peer did not answer in time, `retryCount` times. */
  retryExceeded: 12,
  /** The peer had no receive posted, `rnrRetryCount` times. */
  rnrRetryExceeded: 13,
  localRddViolationError: 14,
  remoteInvalidRdRequestError: 15,
  remoteAbortedError: 16,
  invalidEecNumberError: 17,
  invalidEecStateError: 18,
  fatalError: 19,
  responseTimeout: 20,
  generalError: 21,
} as const

/** The names of {@link CompletionStatus} in `infiniband/verbs.h`, by value. */
export const COMPLETION_STATUS_NAMES: readonly string[] = [
  'IBV_WC_SUCCESS',
  'IBV_WC_LOC_LEN_ERR',
  'IBV_WC_LOC_QP_OP_ERR',
  'IBV_WC_LOC_EEC_OP_ERR',
  'IBV_WC_LOC_PROT_ERR',
  'IBV_WC_WR_FLUSH_ERR',
  'IBV_WC_MW_BIND_ERR',
  'IBV_WC_BAD_RESP_ERR',
  'IBV_WC_LOC_ACCESS_ERR',
  'IBV_WC_REM_INV_REQ_ERR',
  'IBV_WC_REM_ACCESS_ERR',
  'IBV_WC_REM_OP_ERR',
  'IBV_WC_RETRY_EXC_ERR',
  'IBV_WC_RNR_RETRY_EXC_ERR',
  'IBV_WC_LOC_RDD_VIOL_ERR',
  'IBV_WC_REM_INV_RD_REQ_ERR',
  'IBV_WC_REM_ABORT_ERR',
  'IBV_WC_INV_EECN_ERR',
  'IBV_WC_INV_EEC_STATE_ERR',
  'IBV_WC_FATAL_ERR',
  'IBV_WC_RESP_TIMEOUT_ERR',
  'IBV_WC_GENERAL_ERR',
]

/**
 * Everything the addon must agree with, by name. Its `layout` export is an object of the same shape; a
 * difference in any name or number means that the binary belongs to another version.
 */
export const LAYOUT = {
  ENTRY,
  SEND,
  RECEIVE,
  COMPLETION,
  SendOpcode,
  SendFlag,
  AccessFlag,
  CompletionOpcode,
  CompletionFlag,
  CompletionStatus,
} as const

/** Words of one send work request record with room for so many entries. */
export function sendRecordWords(maxEntries: number): number {
  return SEND.headerWords + maxEntries * ENTRY.words
}

/** Words of one receive work request record with room for so many entries. */
export function receiveRecordWords(maxEntries: number): number {
  return RECEIVE.headerWords + maxEntries * ENTRY.words
}
