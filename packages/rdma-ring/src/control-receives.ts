/**
 * The receives of one transport. Each takes one Send, or the doorbell of one frame in the ring, and is posted again as
 * soon as it was read: none of them waits for the program.
 */
import { ENTRY, type QueuePair, RECEIVE } from '@netts/verbs'
import {
  queueOverrun,
  type RegisteredBuffer,
  type TransportMemory,
  WorkKind,
  workRequestIdLow,
} from '@netts/verbs/endpoint'
import { HEADER_BYTES } from './protocol/frame.js'

/** The receives, and their memory. */
export class ControlReceives {
  /** The memory into which they receive. */
  readonly memory: RegisteredBuffer
  /** Bytes of {@link memory}. */
  readonly byteLength: number
  readonly #queuePair: QueuePair
  /** Indices that are not posted. */
  readonly #free: number[] = []
  readonly #isPosted: Uint8Array

  /**
   * @param most how many may be posted at a time
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when there is no memory
   */
  constructor(queuePair: QueuePair, memory: TransportMemory, most: number) {
    this.#queuePair = queuePair
    this.byteLength = most * HEADER_BYTES
    this.memory = memory.takeHeaders(this.byteLength)
    this.#isPosted = new Uint8Array(most)
    for (let index = most - 1; index >= 0; index--) this.#free.push(index)
  }

  /** Posts so many of those that are not posted, in one batch. @throws NettsError `ERR_NETTS_VERBS` */
  post(count: number): void {
    const { receiveRequests: words, receiveRecordWords } = this.#queuePair
    const { regionId } = this.memory
    for (let i = 0; i < count; i++) {
      const index = this.#free.pop()!
      this.#isPosted[index] = 1
      const at = i * receiveRecordWords
      words[at + RECEIVE.idLow] = workRequestIdLow(WorkKind.receive, index)
      words[at + RECEIVE.idHigh] = 0
      words[at + RECEIVE.entryCount] = 1
      words[at + RECEIVE.reserved] = 0
      const entry = at + RECEIVE.headerWords
      words[entry + ENTRY.regionId] = regionId
      words[entry + ENTRY.byteOffset] = this.byteOffset(index)
      words[entry + ENTRY.byteLength] = HEADER_BYTES
      words[entry + ENTRY.reserved] = 0
    }
    if (this.#queuePair.postReceive(count) < count) throw queueOverrun('ibv_post_recv')
  }

  /** A receive was used up, and may be posted again. @returns whether it was posted */
  filled(index: number): boolean {
    if (this.#isPosted[index] !== 1) return false
    this.#isPosted[index] = 0
    this.#free.push(index)
    return true
  }

  /** Where in the slab of {@link memory} a receive puts its message, in bytes. */
  byteOffset(index: number): number {
    return this.memory.byteOffset + index * HEADER_BYTES
  }

  /** The queue pair is closed: gives the memory back. */
  close(): void {
    this.memory.free()
  }
}
