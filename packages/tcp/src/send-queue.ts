/**
 * What was accepted for sending and the kernel has not taken yet, in order: copied bytes, packed one behind the
 * other into blocks, and pooled buffers as they are. It leaves in batches, one write each.
 */
import { NettsError } from '@netts/core'
import type { BufferSlot } from '@netts/core/driver'
import { giveBlock, SMALL_BLOCK_BYTES, takeBlock, takeSmallBlock } from './blocks.js'

/** One contiguous piece of memory to write: part of a block, or of a pooled buffer's slab. */
interface Piece {
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
  #waiting: Piece[] = []
  /** Being written. */
  #batch: Piece[] = []
  /** The block being filled, and up to where. */
  #block: Buffer | undefined
  #filled = 0
  #sends = 0
  /** Bytes that wait for the next batch, and bytes of the present one. */
  waitingBytes = 0
  batchBytes = 0

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
    const take = this.#sends === 0 && isShort(parts) ? takeSmallBlock : takeBlock
    for (const part of parts) {
      const taken = this.#append(part, Math.min(part.byteLength, limit - accepted), take)
      accepted += taken
      if (taken < part.byteLength) break
    }
    if (accepted > 0) {
      this.waitingBytes += accepted
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
    this.waitingBytes += byteLength
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
    this.batchBytes = this.waitingBytes
    this.waitingBytes = 0
    return batch.length
  }

  /** A piece of the batch. */
  piece(index: number): Buffer {
    const piece = this.#batch[index]!
    if (isDetached(piece)) throw detached()
    const { memory, start, end } = piece
    return Buffer.from(memory.buffer as ArrayBuffer, memory.byteOffset + start, end - start)
  }

  /**
   * The batch is written.
   * @returns how many sends that completed
   * @throws NettsError `ERR_NETTS_BUFFER_DETACHED` when memory of it went away before it was written
   */
  completeBatch(): number {
    let completed = 0
    let isGone = false
    // From its end, as an array keeps its memory that way.
    for (let piece = this.#batch.pop(); piece; piece = this.#batch.pop()) {
      if (isDetached(piece)) isGone = true
      completed += piece.sends
      this.#free(piece)
    }
    this.batchBytes = 0
    this.#sends -= completed
    if (this.#waiting.length === 0) this.#freeBlock()
    // Not before everything is freed: sends that were lent for wait for it.
    if (isGone) throw detached()
    return completed
  }

  /** Drops everything. Nothing of it may be being written any more. */
  clear(): void {
    for (const piece of this.#batch) this.#free(piece)
    for (const piece of this.#waiting) this.#free(piece)
    this.#batch = []
    this.#waiting = []
    this.#sends = this.waitingBytes = this.batchBytes = 0
    this.#freeBlock()
  }

  /** Copies `length` bytes from the beginning of `data`, as far as there is memory. @param take where a block is from */
  #append(data: Uint8Array, length: number, take: () => Buffer): number {
    let accepted = 0
    while (accepted < length && (this.#block || this.#takeBlock(take))) {
      const block = this.#block!
      const piece = this.#openPiece(block)
      const taken = Math.min(length - accepted, block.length - this.#filled)
      const whole = taken === data.byteLength
      block.set(whole ? data : data.subarray(accepted, accepted + taken), this.#filled)
      this.#filled += taken
      piece.end = this.#filled
      accepted += taken
      if (this.#filled === block.length) {
        piece.lastOfBlock = true
        this.#block = undefined
      }
    }
    return accepted
  }

  /** The last waiting piece if the block's next byte follows on it, else a new one. */
  #openPiece(block: Buffer): Piece {
    const last = this.#waiting[this.#waiting.length - 1]
    if (last?.memory === block) return last
    const piece: Piece = {
      memory: block,
      start: this.#filled,
      end: this.#filled,
      sends: 0,
      slot: undefined,
      lastOfBlock: false,
    }
    this.#waiting.push(piece)
    return piece
  }

  #takeBlock(take: () => Buffer): boolean {
    if (!this.hasRoom) return false
    this.#block = take()
    this.#filled = 0
    this.#used++
    return true
  }

  #free(piece: Piece): void {
    if (piece.slot) {
      piece.slot.free()
      this.#used--
    }
    if (piece.lastOfBlock) this.#giveBlock(piece.memory as Buffer)
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

/** Whether so little is sent that a small block has room for it, and for some more of the kind. */
function isShort(parts: readonly Uint8Array[]): boolean {
  let byteLength = 0
  for (const part of parts) byteLength += part.byteLength
  return byteLength <= SMALL_BLOCK_BYTES / 4
}

/** Memory that a program lent can go away: transferred, or resized. */
function isDetached({ memory, end }: Piece): boolean {
  return end > memory.length
}

function detached(): NettsError {
  return new NettsError(
    'ERR_NETTS_BUFFER_DETACHED',
    'the memory of a message was transferred or resized before all of it had left',
    { operation: 'send' },
  )
}
