/**
 * What was accepted for sending and the kernel has not taken yet, in order: copied bytes, packed one behind the
 * other into blocks, and pooled buffers as they are. It leaves in batches, one write each.
 */
import type { BufferSlot } from '@netts/core/driver'
import { BLOCK_BYTES, giveBlock, takeBlock } from './blocks.js'

/** One contiguous piece of memory to write: part of a block, or of a pooled buffer's slab. */
interface Segment {
  readonly memory: Uint8Array
  readonly start: number
  end: number
  /** How many accepted sends end in it. */
  sends: number
  /** What is given back once it is written: the pooled buffer, or the block when this is the last of it. */
  slot: BufferSlot | undefined
  lastOfBlock: boolean
}

/** Accepted sends. Knows nothing of sockets. */
export class SendQueue {
  readonly #depth: number
  /** Blocks and pooled buffers that it holds. */
  #used = 0
  #waiting: Segment[] = []
  /** Being written. */
  #batch: Segment[] = []
  /** The block being filled, and up to where. */
  #block: Buffer | undefined
  #filled = 0
  #sends = 0

  /** @param depth how many blocks and pooled buffers it holds at a time */
  constructor(depth: number) {
    this.#depth = depth
  }

  /** Accepted sends that are not written yet. */
  get sends(): number {
    return this.#sends
  }

  /** Whether there is room for another block or pooled buffer. */
  get hasRoom(): boolean {
    return this.#used < this.#depth
  }

  /** Whether there is anything for a next batch. */
  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Copies up to `limit` bytes of the slices, as one send. @returns bytes accepted; 0 without capacity */
  copy(parts: readonly Uint8Array[], limit: number): number {
    let accepted = 0
    for (const part of parts) {
      const taken = this.#append(part, Math.min(part.byteLength, limit - accepted))
      accepted += taken
      if (taken < part.byteLength) break
    }
    if (accepted > 0) {
      this.#sends++
      this.#waiting[this.#waiting.length - 1]!.sends++
    }
    return accepted
  }

  /** Adds part of a pooled buffer as one send, and owns its slot from then on. Only with {@link hasRoom}. */
  add(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    const start = slot.byteOffset + byteOffset
    this.#waiting.push({
      memory: slot.slab,
      start,
      end: start + byteLength,
      sends: 1,
      slot,
      lastOfBlock: false,
    })
    this.#sends++
    this.#used++
  }

  /**
   * Everything that waits becomes the next batch. Only once the one before is complete.
   * @returns how many pieces it has
   */
  nextBatch(): number {
    const batch = this.#waiting
    this.#waiting = this.#batch
    this.#batch = batch
    return batch.length
  }

  /** A piece of the batch. */
  piece(index: number): Buffer {
    const { memory, start, end } = this.#batch[index]!
    return Buffer.from(memory.buffer as ArrayBuffer, memory.byteOffset + start, end - start)
  }

  /** The batch is written. @returns how many sends that completed */
  completeBatch(): number {
    let completed = 0
    // From its end, as an array keeps its memory that way.
    for (let segment = this.#batch.pop(); segment; segment = this.#batch.pop()) {
      completed += segment.sends
      this.#free(segment)
    }
    this.#sends -= completed
    if (this.#waiting.length === 0) this.#freeBlock()
    return completed
  }

  /** Drops everything. Nothing of it may be being written any more. */
  clear(): void {
    for (const segment of this.#batch) this.#free(segment)
    for (const segment of this.#waiting) this.#free(segment)
    this.#batch = []
    this.#waiting = []
    this.#sends = 0
    this.#freeBlock()
  }

  /** Copies `length` bytes from the beginning of `data`, as far as there is memory. */
  #append(data: Uint8Array, length: number): number {
    let accepted = 0
    while (accepted < length && (this.#block || this.#takeBlock())) {
      const segment = this.#openSegment(this.#block!)
      const taken = Math.min(length - accepted, BLOCK_BYTES - this.#filled)
      const whole = taken === data.byteLength
      this.#block!.set(whole ? data : data.subarray(accepted, accepted + taken), this.#filled)
      this.#filled += taken
      segment.end = this.#filled
      accepted += taken
      if (this.#filled === BLOCK_BYTES) {
        segment.lastOfBlock = true
        this.#block = undefined
      }
    }
    return accepted
  }

  /** The last waiting segment if the block's next byte follows on it, else a new one. */
  #openSegment(block: Buffer): Segment {
    const last = this.#waiting[this.#waiting.length - 1]
    if (last?.memory === block) return last
    const segment: Segment = {
      memory: block,
      start: this.#filled,
      end: this.#filled,
      sends: 0,
      slot: undefined,
      lastOfBlock: false,
    }
    this.#waiting.push(segment)
    return segment
  }

  #takeBlock(): boolean {
    if (!this.hasRoom) return false
    this.#block = takeBlock()
    this.#filled = 0
    this.#used++
    return true
  }

  #free(segment: Segment): void {
    if (segment.slot) {
      segment.slot.free()
      this.#used--
    }
    if (segment.lastOfBlock) this.#giveBlock(segment.memory as Buffer)
  }

  /** An idle transport holds no block. */
  #freeBlock(): void {
    if (this.#block) this.#giveBlock(this.#block)
    this.#block = undefined
  }

  #giveBlock(block: Buffer): void {
    this.#used--
    giveBlock(block)
  }
}
