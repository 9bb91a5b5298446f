/**
 * Work requests and completions as objects, for setup, examples and tests. Hot loops write the words themselves.
 */
import { COMPLETION, CompletionFlag, ENTRY, RECEIVE, SEND } from './layout.js'

/** Part of a region: an entry of a work request. */
export interface RegionRange {
  /** The region, of which only the id is read. */
  readonly region: { readonly id: number }
  /** Where in the region it begins, in bytes. @default 0 */
  readonly byteOffset?: number
  /** Its length in bytes; the range must lie within the region. */
  readonly byteLength: number
}

/** A send work request as an object, for {@link writeSend}. {@link SEND} says what its fields mean for each opcode. */
export interface SendWorkRequest {
  /** 64 bits that its completion carries. @default 0n */
  readonly id?: bigint
  /** One of {@link SendOpcode}. */
  readonly opcode: number
  /** {@link SendFlag}s, added together. @default 0 */
  readonly flags?: number
  /** Where the bytes come from, or go to for Read and atomics; at most `maxSendEntries`. @default none */
  readonly entries?: readonly RegionRange[]
  /** The 32 bits of immediate data, or the key to invalidate. @default 0 */
  readonly immediate?: number
  /** Write, Read, atomics: the peer's address. Bind: where the window begins. @default 0n */
  readonly remoteAddress?: bigint
  /** Write, Read, atomics: the peer's key. Bind: the window's new key. @default 0 */
  readonly remoteKey?: number
  /** Bind: the window. @default none */
  readonly window?: { readonly id: number }
  /** Bind: the {@link AccessFlag}s that the window grants, added together. @default 0 */
  readonly windowAccess?: number
  /** Compare-and-swap: what to compare with. Fetch-and-add: what to add. 64 bits. @default 0n */
  readonly compareOrAdd?: bigint
  /** Compare-and-swap: what to store if the comparison holds. 64 bits. @default 0n */
  readonly swap?: bigint
}

/** A receive work request as an object, for {@link writeReceive}. */
export interface ReceiveWorkRequest {
  /** 64 bits that its completion carries. @default 0n */
  readonly id?: bigint
  /** Where the message goes, in order; at most `maxReceiveEntries`. @default none */
  readonly entries?: readonly RegionRange[]
}

/** A completion as an object, made by {@link readCompletion}. */
export interface WorkCompletion {
  /** The work request's id, 64 bits. */
  readonly id: bigint
  /**
   * One of {@link CompletionStatus}. Unless it is `success`, only `id`, `queuePairNumber` and `vendorError` are defined
   * besides.
   */
  readonly status: number
  /** One of {@link CompletionOpcode}. */
  readonly opcode: number
  /** Receive: bytes received. Read: bytes read. Atomics: 8. */
  readonly byteLength: number
  /** The peer's immediate data; `undefined` when the message had none. */
  readonly immediate: number | undefined
  /** The key of this end that the peer's Send invalidated; `undefined` when it invalidated none. */
  readonly invalidatedKey: number | undefined
  /** {@link QueuePair.number} */
  readonly queuePairNumber: number
  /** The device's own error number, for its vendor's support. */
  readonly vendorError: number
}

const LOW = 0xffff_ffffn

function write64(words: Uint32Array, at: number, value: bigint): void {
  words[at] = Number(value & LOW)
  words[at + 1] = Number((value >> 32n) & LOW)
}

function writeEntries(words: Uint32Array, at: number, entries: readonly RegionRange[]): void {
  for (const { region, byteOffset = 0, byteLength } of entries) {
    words[at + ENTRY.regionId] = region.id
    words[at + ENTRY.byteOffset] = byteOffset
    words[at + ENTRY.byteLength] = byteLength
    words[at + ENTRY.reserved] = 0
    at += ENTRY.words
  }
}

/**
 * Writes a request into record `index` of `queuePair.sendRequests`, for {@link QueuePair.postSend}. It checks nothing:
 * `postSend` does. What was in the record before is overwritten.
 * @param queuePair a queue pair whose records have room for the request's entries (`maxSendEntries`)
 * @param index counted from 0: the place in the next batch
 */
export function writeSend(
  queuePair: { readonly sendRequests: Uint32Array; readonly sendRecordWords: number },
  index: number,
  request: SendWorkRequest,
): void {
  const words = queuePair.sendRequests
  const at = index * queuePair.sendRecordWords
  const { entries = [] } = request
  words.fill(0, at, at + SEND.headerWords)
  words[at + SEND.opcode] = request.opcode
  words[at + SEND.flags] = request.flags ?? 0
  write64(words, at + SEND.idLow, request.id ?? 0n)
  words[at + SEND.entryCount] = entries.length
  words[at + SEND.immediate] = request.immediate ?? 0
  write64(words, at + SEND.remoteAddressLow, request.remoteAddress ?? 0n)
  words[at + SEND.remoteKey] = request.remoteKey ?? 0
  words[at + SEND.windowId] = request.window?.id ?? 0
  words[at + SEND.windowAccess] = request.windowAccess ?? 0
  write64(words, at + SEND.compareOrAddLow, request.compareOrAdd ?? 0n)
  write64(words, at + SEND.swapLow, request.swap ?? 0n)
  writeEntries(words, at + SEND.headerWords, entries)
}

/**
 * Writes a request into record `index` of `queue.receiveRequests`, for `postReceive`. It checks nothing: `postReceive`
 * does.
 * @param queue a queue pair or shared receive queue with room for the request's entries
 */
export function writeReceive(
  queue: { readonly receiveRequests: Uint32Array; readonly receiveRecordWords: number },
  index: number,
  request: ReceiveWorkRequest,
): void {
  const words = queue.receiveRequests
  const at = index * queue.receiveRecordWords
  const { entries = [] } = request
  words.fill(0, at, at + RECEIVE.headerWords)
  write64(words, at + RECEIVE.idLow, request.id ?? 0n)
  words[at + RECEIVE.entryCount] = entries.length
  writeEntries(words, at + RECEIVE.headerWords, entries)
}

/**
 * Reads completion `index` of what the last poll put into `queue.completions`.
 * @param queue a completion queue or channel
 */
export function readCompletion(queue: { readonly completions: Uint32Array }, index: number): WorkCompletion {
  const words = queue.completions
  const at = index * COMPLETION.words
  const word = (field: number) => words[at + field] as number
  const flags = word(COMPLETION.flags)
  return {
    id: BigInt(word(COMPLETION.idLow)) | (BigInt(word(COMPLETION.idHigh)) << 32n),
    status: word(COMPLETION.status),
    opcode: word(COMPLETION.opcode),
    byteLength: word(COMPLETION.byteLength),
    immediate: flags & CompletionFlag.withImmediate ? word(COMPLETION.immediate) : undefined,
    invalidatedKey: flags & CompletionFlag.withInvalidate ? word(COMPLETION.immediate) : undefined,
    queuePairNumber: word(COMPLETION.queuePairNumber),
    vendorError: word(COMPLETION.vendorError),
  }
}
