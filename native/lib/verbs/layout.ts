/**
 * The layout of the arrays that TypeScript and the provider share: work requests and completions are
 * records of 32-bit words (in the machine's byte order), one record after the other in one `Uint32Array`.
 *
 * TypeScript has the numbers here and nowhere else. The addon has the same layout as C++ structs and reports the
 * offsets that its compiler chose; loading it fails when one differs from {@link LAYOUT}.
 *
 * The values of opcodes, flags and statuses are those of `infiniband/verbs.h` (rdma-core), which are part of
 * its ABI.
 */

/** Places of words within a gather or scatter entry (`struct ibv_sge`). Entries follow the header of a work request. */
export const ENTRY = {
  /** {@link MemoryRegion.id} */
  regionId: 0,
  /** Where in the region the range begins, in bytes. */
  byteOffset: 1,
  /** The length of the range in bytes; the range must lie within the region. */
  byteLength: 2,
  /** Write 0. It makes an entry 16 bytes long. */
  reserved: 3,
  /** Words of one entry. */
  words: 4,
} as const

/**
 * Places of words within the header of a send work request (`struct ibv_send_wr`); up to `maxSendEntries` entries
 * follow it.
 */
export const SEND = {
  /** One of {@link SendOpcode}. */
  opcode: 0,
  /** {@link SendFlag}s, added together. */
  flags: 1,
  /** Bits 0 to 31 of the work request's id, which is the program's to choose, and which its completion carries. */
  idLow: 2,
  /** Bits 32 to 63 of the id. */
  idHigh: 3,
  /** How many entries follow the header: 0 for an empty message. Bind: exactly 1, the range to bind to. */
  entryCount: 4,
  /**
   * The immediate value of `sendWithImmediate` and `writeWithImmediate` as a number; the provider converts it
   * to network byte order. For `localInvalidate` and `sendWithInvalidate`, the key to invalidate.
   */
  immediate: 5,
  /**
   * Bits 0 to 31 of an address. Write, Read, atomics: where in the peer's memory; atomics need a multiple of 8. Bind:
   * where the window begins, which is the entry's {@link MemoryRegion.remoteAddress} plus its offset. See {@link
   * writeRemoteAddress}.
   */
  remoteAddressLow: 6,
  /** Bits 32 to 63 of that address. */
  remoteAddressHigh: 7,
  /** Write, Read, atomics: the key that the peer gave. Bind: the window's new key, see {@link nextRemoteKey}. */
  remoteKey: 8,
  /** Bind: {@link MemoryWindow.id}. */
  windowId: 9,
  /**
   * Bind: what the window grants: `remoteWrite`, `remoteRead`, `remoteAtomic` of {@link AccessFlag}, added together.
   */
  windowAccess: 10,
  /** Write 0. */
  reserved: 11,
  /** Compare-and-swap: bits 0 to 31 of the value to compare with. Fetch-and-add: of the value to add. */
  compareOrAddLow: 12,
  /** Bits 32 to 63 of that value. */
  compareOrAddHigh: 13,
  /** Compare-and-swap: bits 0 to 31 of the value to store if the comparison holds. */
  swapLow: 14,
  /** Bits 32 to 63 of that value. */
  swapHigh: 15,
  /** Words of the header. */
  headerWords: 16,
} as const

/**
 * Places of words within the header of a receive work request (`struct ibv_recv_wr`); up to `maxReceiveEntries` entries
 * follow it.
 */
export const RECEIVE = {
  /** Bits 0 to 31 of the work request's id, which is the program's to choose, and which its completion carries. */
  idLow: 0,
  /** Bits 32 to 63 of the id. */
  idHigh: 1,
  /** How many entries follow the header; 0 is enough for a Write with immediate data, and for an empty Send. */
  entryCount: 2,
  /** Write 0. */
  reserved: 3,
  /** Words of the header. */
  headerWords: 4,
} as const

/**
 * Places of words within a completion (`struct ibv_wc`). When `status` is not {@link CompletionStatus.success}, only
 * the id, `status`, `queuePairNumber` and `vendorError` are defined: do not read the others.
 */
export const COMPLETION = {
  /** Bits 0 to 31 of the work request's id. */
  idLow: 0,
  /** Bits 32 to 63 of the id. */
  idHigh: 1,
  /** One of {@link CompletionStatus}. */
  status: 2,
  /** One of {@link CompletionOpcode}. */
  opcode: 3,
  /** {@link CompletionFlag}s, added together. */
  flags: 4,
  /** Receive: bytes received. Read: bytes read. Atomics: 8. */
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
  /** Writes the entries' bytes into the peer's memory. The peer's program is told nothing. */
  write: 0,
  /** The same, and completes one of the peer's receives, with 32 bits of immediate data. Not on iWARP. */
  writeWithImmediate: 1,
  /** Sends the entries' bytes into the peer's next receive. */
  send: 2,
  /** The same, with 32 bits of immediate data. Not on iWARP. */
  sendWithImmediate: 3,
  /** Reads from the peer's memory into the entries. */
  read: 4,
  /**
   * Compares 8 bytes of the peer's memory with a value, and stores another value if they are equal. The previous value
   * is put into the request's one entry of 8 bytes. See {@link DeviceCapabilities.atomics}.
   */
  compareAndSwap: 5,
  /** Adds to 8 bytes of the peer's memory. The previous value is put into the request's one entry of 8 bytes. */
  fetchAndAdd: 6,
  /** Invalidates the key of a window of this end: `SEND.immediate` is the key. */
  localInvalidate: 7,
  /** Binds a window to part of a region, with a new key. See {@link DeviceCapabilities.memoryWindows}. */
  bindWindow: 8,
  /**
   * A Send that also invalidates a key of the peer's window, `SEND.immediate`. See
   * {@link DeviceCapabilities.sendWithInvalidate}.
   */
  sendWithInvalidate: 9,
} as const

/** How a send work request is carried out (`enum ibv_send_flags`). */
export const SendFlag = {
  /** It begins only when every Read and atomic before it on the queue pair has completed. */
  fence: 1,
  /** It gives a completion. Without this flag it gives one only if it fails. */
  signalled: 2,
  /** The peer's completion counts as solicited, see {@link CompletionQueue.arm}. */
  solicited: 4,
  /**
   * The bytes are copied while it is posted, so the memory may be changed as soon as `postSend` has returned. Send and
   * Write only, up to `maxInlineBytes` of the queue pair.
   */
  inline: 8,
} as const

/** What may be done with a region or window (`enum ibv_access_flags`). Local reading is always allowed. */
export const AccessFlag = {
  /** The device may write into it for this end: receives, and what Reads and atomics bring. */
  localWrite: 1,
  /** Peers may write into it. Needs `localWrite` as well. */
  remoteWrite: 2,
  /** Peers may read it. */
  remoteRead: 4,
  /** Peers may use atomics on it. Needs `localWrite` as well. */
  remoteAtomic: 8,
  /** Windows may be bound to the region. */
  windowBind: 16,
  /**
   * The device may carry out accesses to the region in another order than they came, which is faster on some hosts
   * (PCIe relaxed ordering). What a completion reports has arrived nevertheless; a program that polls the memory itself
   * must not use this flag. A kernel or device that does not know it ignores it (`IBV_ACCESS_OPTIONAL_RANGE`).
   */
  relaxedOrdering: 1 << 20,
} as const

/** What completed (`enum ibv_wc_opcode`). */
export const CompletionOpcode = {
  /** A Send of any kind. */
  send: 0,
  /** A Write, with immediate data or without. */
  write: 1,
  /** A Read: the bytes are in its entries. */
  read: 2,
  /** A compare-and-swap: the previous value is in its entry. */
  compareAndSwap: 3,
  /** A fetch-and-add: the previous value is in its entry. */
  fetchAndAdd: 4,
  /** A window was bound. */
  bindWindow: 5,
  /** A key was invalidated. */
  localInvalidate: 6,
  /** A receive that took a Send. All receives have values from here on. */
  receive: 128,
  /** A receive that was used up by the peer's Write with immediate data, whose bytes went elsewhere. */
  receiveWriteWithImmediate: 129,
} as const

/** What else a completion says (`enum ibv_wc_flags`). */
export const CompletionFlag = {
  /** `COMPLETION.immediate` is immediate data. */
  withImmediate: 2,
  /** `COMPLETION.immediate` is the key of this end that the peer's Send invalidated. */
  withInvalidate: 8,
} as const

/**
 * How a work request ended (`enum ibv_wc_status`, `ibv_poll_cq(3)`). After any other than `success` the queue pair is
 * in the state `error`.
 */
export const CompletionStatus = {
  /** It was carried out. */
  success: 0,
  /** The receive buffer is too small, or the message exceeds the port's maximum. */
  localLengthError: 1,
  /** The queue pair's request is inconsistent, or (iWARP) the connection was terminated. */
  localQpOperationError: 2,
  /** Of reliable datagrams, which are not offered here. */
  localEecOperationError: 3,
  /** A local entry names memory that is not registered for what the request does with it. */
  localProtectionError: 4,
  /** The queue pair went to the error state before the request was carried out. */
  flushed: 5,
  /** The window could not be bound: key, range or access. */
  windowBindError: 6,
  /** The peer's device answered what does not belong to the request. */
  badResponseError: 7,
  /** A Write with immediate data from the peer met a protection error here. */
  localAccessError: 8,
  /** The peer found the request invalid, such as a message larger than its receive buffer. */
  remoteInvalidRequestError: 9,
  /** The peer's memory protection refused it: key, bounds or access. */
  remoteAccessError: 10,
  /** The peer's queue pair failed while it carried out the request. */
  remoteOperationError: 11,
  /** The peer did not acknowledge it, after `retryCount` repetitions. */
  retryExceeded: 12,
  /** The peer had no receive posted, after as many repetitions as its `rnrRetryCount` allows. */
  rnrRetryExceeded: 13,
  /** Of reliable datagrams, which are not offered here. */
  localRddViolationError: 14,
  /** Of reliable datagrams, which are not offered here. */
  remoteInvalidRdRequestError: 15,
  /** The peer's device aborted the request. */
  remoteAbortedError: 16,
  /** Of reliable datagrams, which are not offered here. */
  invalidEecNumberError: 17,
  /** Of reliable datagrams, which are not offered here. */
  invalidEecStateError: 18,
  /** The device failed. */
  fatalError: 19,
  /** The device got no response in time. */
  responseTimeout: 20,
  /** Any other failure; the vendor error may say more. */
  generalError: 21,
} as const

/** The names of {@link CompletionStatus} in `infiniband/verbs.h`; the index is the value. */
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

/** How many words a send record with room for `maxEntries` entries has. */
export function sendRecordWords(maxEntries: number): number {
  return SEND.headerWords + maxEntries * ENTRY.words
}

/** How many words a receive record with room for `maxEntries` entries has. */
export function receiveRecordWords(maxEntries: number): number {
  return RECEIVE.headerWords + maxEntries * ENTRY.words
}
