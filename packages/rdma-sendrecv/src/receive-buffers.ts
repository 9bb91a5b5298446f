/**
 * The receives of one transport: buffers that are posted, queued (filled, and not handed out), or handed out.
 *
 * Each buffer has an index, which is its `chunkIndex` and its slot in work request ids. Buffers are taken when the
 * window grows, and given back when it has shrunk.
 */
import { invalidArgument } from '@netts/core/driver'
import { ENTRY, type QueuePair, RECEIVE } from '@netts/verbs'
import {
  queueOverrun,
  type ReceiveSide,
  type RegisteredBuffer,
  type TransportMemory,
  WorkKind,
  workRequestIdLow,
} from '@netts/verbs/endpoint'
import { HEADER_BYTES } from './protocol/frame.js'

/** States of an index; an absent one has no buffer. */
const ABSENT = 0
const FREE = 1
const POSTED = 2
const QUEUED = 3
const HANDED_OUT = 4

/** The receive side of one transport. */
export class ReceiveBuffers implements ReceiveSide {
  /** Buffers taken from the memory. */
  held = 0
  /** Whether there was not enough memory for the last {@link post}. */
  wantsMemory = false
  /** Chunks that are queued. */
  queued = 0
  /** Chunks that are handed out. */
  handedOut = 0
  readonly #queuePair: QueuePair
  readonly #memory: TransportMemory
  readonly #most: number
  readonly #buffers: (RegisteredBuffer | undefined)[]
  readonly #states: Uint8Array
  readonly #byteLengths: Uint32Array
  /** Stacks of indices that are not in use, with a buffer and without. */
  readonly #free: number[] = []
  readonly #absent: number[] = []
  /** Indices of queued chunks, a ring, from {@link #queueHead} on. */
  readonly #queue: Uint32Array
  #queueHead = 0
  /** From {@link close} on: copies of the chunks that were queued then, by index. */
  #kept: Uint8Array[] | undefined

  /** @param most how many buffers there may be */
  constructor(queuePair: QueuePair, memory: TransportMemory, most: number) {
    this.#queuePair = queuePair
    this.#memory = memory
    this.#most = most
    this.#buffers = new Array(most)
    this.#states = new Uint8Array(most)
    this.#byteLengths = new Uint32Array(most)
    this.#queue = new Uint32Array(most)
    for (let index = most - 1; index >= 0; index--) this.#absent.push(index)
  }

  /**
   * Posts receives in one batch, and takes buffers as needed.
   * @returns how many: fewer when all indices are in use, or when no more memory can be pinned
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when not even one buffer could be taken; `ERR_NETTS_VERBS`
   */
  post(count: number): number {
    const words = this.#queuePair.receiveRequests
    const recordWords = this.#queuePair.receiveRecordWords
    let posted = 0
    this.wantsMemory = false
    for (; posted < count; posted++) {
      const index = this.#free.pop() ?? this.#add()
      if (index < 0) break
      const { regionId, byteOffset } = this.#buffers[index]!
      this.#states[index] = POSTED
      const at = posted * recordWords
      words[at + RECEIVE.idLow] = workRequestIdLow(WorkKind.receive, index)
      words[at + RECEIVE.idHigh] = 0
      words[at + RECEIVE.entryCount] = 1
      words[at + RECEIVE.reserved] = 0
      const entry = at + RECEIVE.headerWords
      words[entry + ENTRY.regionId] = regionId
      words[entry + ENTRY.byteOffset] = byteOffset
      words[entry + ENTRY.byteLength] = this.#memory.bufferSize
      words[entry + ENTRY.reserved] = 0
    }
    if (posted > 0 && this.#queuePair.postReceive(posted) < posted) throw queueOverrun('ibv_post_recv')
    return posted
  }

  /** A receive was used up. @returns its buffer; `undefined` for an index that is not posted */
  filled(index: number): RegisteredBuffer | undefined {
    if (this.#states[index] !== POSTED) return undefined
    this.#states[index] = FREE
    this.#free.push(index)
    return this.#buffers[index]
  }

  /** Queues the buffer that was {@link filled} last as a chunk. @param byteLength of its data */
  queue(byteLength: number): void {
    const index = this.#free.pop()!
    this.#states[index] = QUEUED
    this.#byteLengths[index] = byteLength
    this.#queue[(this.#queueHead + this.queued++) % this.#most] = index
  }

  /** Hands out the oldest queued chunk. There is one. @returns its index */
  handOut(): number {
    const index = this.#queue[this.#queueHead]!
    this.#queueHead = (this.#queueHead + 1) % this.#most
    this.queued--
    this.handedOut++
    this.#states[index] = HANDED_OUT
    return index
  }

  /** Length of a chunk in bytes. */
  byteLength(index: number): number {
    return this.#byteLengths[index]!
  }

  /** The bytes of a chunk that is handed out. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
  bytes(index: number): Uint8Array {
    if (this.#states[index] !== HANDED_OUT) {
      throw invalidArgument(`chunkIndex ${index} is not handed out`, 'recvBuf')
    }
    return this.#kept?.[index] ?? this.#view(index)
  }

  /** Releases a chunk. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
  release(index: number): void {
    if (this.#states[index] !== HANDED_OUT) {
      throw invalidArgument(`chunkIndex ${index} is not handed out, or was released before`, 'repostRecv')
    }
    this.handedOut--
    this.#states[index] = FREE
    if (this.#kept) this.#drop(index)
    else this.#free.push(index)
  }

  /** Discards the chunks that were not handed out. */
  discardQueued(): void {
    while (this.queued > 0) {
      const index = this.handOut()
      this.release(index)
    }
  }

  /** Gives back the buffers that are not in use. */
  trim(): void {
    for (let index = this.#free.pop(); index !== undefined; index = this.#free.pop()) this.#drop(index)
  }

  /**
   * The queue pair is closed: copies the queued chunks, and gives back all memory, except that of chunks that are
   * handed out, until their release.
   */
  close(): void {
    const kept: Uint8Array[] = []
    this.trim()
    for (let index = 0; index < this.#most; index++) {
      if (this.#states[index] === QUEUED) kept[index] = this.#view(index).slice()
      if (this.#states[index] === QUEUED || this.#states[index] === POSTED) this.#giveBack(index)
    }
    this.#kept = kept
  }

  #view(index: number): Uint8Array {
    const { slab, byteOffset } = this.#buffers[index]!
    const start = byteOffset + HEADER_BYTES
    return slab.subarray(start, start + this.#byteLengths[index]!)
  }

  /** Takes one more buffer. @returns its index, or -1 */
  #add(): number {
    const index = this.#absent.pop()
    if (index === undefined) return -1
    try {
      this.#buffers[index] = this.#memory.takeBuffer()
    } catch (error) {
      this.#absent.push(index)
      if (this.held === 0) throw error
      this.wantsMemory = true
      return -1
    }
    this.held++
    return index
  }

  #drop(index: number): void {
    this.#giveBack(index)
    this.#states[index] = ABSENT
    this.#absent.push(index)
  }

  #giveBack(index: number): void {
    const buffer = this.#buffers[index]
    if (!buffer) return
    this.#memory.putBack(buffer)
    this.#buffers[index] = undefined
    this.held--
  }
}
