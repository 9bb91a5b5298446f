/**
 * The receives of one transport. Each takes one frame that is a Send, or tells of one in the ring, and is posted again as
 * soon as it was read, so that none of them waits for the program.
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

/** See above. */
export class ControlReceives {
  /** The memory that they are received into. */
  readonly memory: RegisteredBuffer
  /** Its size in bytes. */
  readonly byteLength: number
  readonly #queuePair: QueuePair
  /** Indices that are not posted. */
  readonly #free: number[] = []
  readonly #isPosted: Uint8Array

  /**
   * @param most how many may be posted at a time
   * @throws NettsError when there is no memory
   */
  constructor(queuePair: QueuePair, memory: TransportMemory, most: number) {
    this.#queuePair = queuePair
    this.byteLength = most * HEADER_BYTES
    this.memory = memory.takeHeaders(this.byteLength)
    this.#isPosted = new Uint8Array(most)
    for (let index = most - 1; index >= 0; index--) this.#free.push(index)
  }

  /** Posts so many, which are not posted, in one batch. */
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

  /** A posted receive was used up, and is free to be posted again. @returns whether it was posted */
  filled(index: number): boolean {
    if (this.#isPosted[index] !== 1) return false
    this.#isPosted[index] = 0
    this.#free.push(index)
    return true
  }

  /** Where in the slab of {@link memory} a receive puts what comes. */
  byteOffset(index: number): number {
    return this.memory.byteOffset + index * HEADER_BYTES
  }

  /** The queue pair is gone: gives the memory back. */
  close(): void {
    this.memory.free()
  }
}
