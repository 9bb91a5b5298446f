/**
 * Work requests and completions as objects, for setup, examples and tests. Hot loops write the words themselves.
 */
import { COMPLETION, CompletionFlag, ENTRY, RECEIVE, SEND } from './layout.js'

/** Part of a region. */
export interface RegionRange {
  readonly region: { readonly id: number }
  /** @default 0 */
  readonly byteOffset?: number
  readonly byteLength: number
}

/** A send work request as an object. */
export interface SendWorkRequest {
  /** Its completion carries it back. @default 0n */
  readonly id?: bigint
  /** One of {@link SendOpcode}. */
  readonly opcode: number
  /** {@link SendFlag}s, added together. @default 0 */
  readonly flags?: number
  /** @default none */
  readonly entries?: readonly RegionRange[]
  readonly immediate?: number
  readonly remoteAddress?: bigint
  readonly remoteKey?: number
  readonly window?: { readonly id: number }
  readonly windowAccess?: number
  /** Compare-and-swap: what to compare with. Fetch-and-add: what to add. */
  readonly compareOrAdd?: bigint
  readonly swap?: bigint
}

/** A receive work request as an object. */
export interface ReceiveWorkRequest {
  /** @default 0n */
  readonly id?: bigint
  /** @default none */
  readonly entries?: readonly RegionRange[]
}

/** A completion as an object. */
export interface WorkCompletion {
  readonly id: bigint
  /** One of {@link CompletionStatus}. Unless it is `success`, only `id` and the last two are to be read. */
  readonly status: number
  /** One of {@link CompletionOpcode}. */
  readonly opcode: number
  readonly byteLength: number
  /** `undefined` without immediate data. */
  readonly immediate: number | undefined
  /** The key of this end's that the peer's Send invalidated; `undefined` without. */
  readonly invalidatedKey: number | undefined
  readonly queuePairNumber: number
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

/** Writes a request into record `index` of `queuePair.sendRequests`. */
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

/** Writes a request into record `index` of the `receiveRequests` of a queue pair or shared receive queue. */
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

/** Reads completion `index` of what the last poll brought. */
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
