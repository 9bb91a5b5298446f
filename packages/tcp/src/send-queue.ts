/**
 * Accepted sends that the kernel has not taken yet, in order: copied bytes, packed into blocks, and pooled buffers as they
 * are. They leave in batches, one write each.
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
  /** What is given back after the write: the pooled buffer, or the block if this is its last piece. */
  slot: BufferSlot | undefined
  lastOfBlock: boolean
}

/** The accepted sends of one transport, without I/O. */
export class SendQueue {
  readonly #depth: number
  /** How many blocks and pooled buffers it holds. */
  #used = 0
  #waiting: Piece[] = []
  /** The pieces that are being written. */
  #batch: Piece[] = []
  /** The block that is being filled, and how many of its bytes are. */
  #block: Buffer | undefined
  #filled = 0
  #sends = 0
  /** Bytes that wait for the next batch, and bytes of the current one. */
  waitingBytes = 0
  batchBytes = 0

  /** @param depth how many blocks and pooled buffers it may hold */
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
   * Makes everything that waits the next batch. Only when the batch before is complete.
   * @returns how many pieces the batch has
   */
  nextBatch(): number {
    const batch = this.#waiting
    this.#waiting = this.#batch
    this.#batch = batch
    this.batchBytes = this.waitingBytes
    this.waitingBytes = 0
    return batch.length
  }

  /** A piece of the batch. @throws NettsError `ERR_NETTS_BUFFER_DETACHED` */
  piece(index: number): Buffer {
    const piece = this.#batch[index]!
    if (isDetached(piece)) throw detached()
    const { memory, start, end } = piece
    return Buffer.from(memory.buffer as ArrayBuffer, memory.byteOffset + start, end - start)
  }

  /**
   * The batch was written: frees it.
   * @returns how many sends completed
   * @throws NettsError `ERR_NETTS_BUFFER_DETACHED` when memory of it was transferred or resized before it was written
   */
  completeBatch(): number {
    let completed = 0
    let isGone = false
    // `pop` keeps the memory of the array for the next batch.
    for (let piece = this.#batch.pop(); piece; piece = this.#batch.pop()) {
      if (isDetached(piece)) isGone = true
      completed += piece.sends
      this.#free(piece)
    }
    this.batchBytes = 0
    this.#sends -= completed
    if (this.#waiting.length === 0) this.#freeBlock()
    // Only after everything is freed: sends of lent memory wait for that.
    if (isGone) throw detached()
    return completed
  }

  /** Drops everything. Call it only when none of it is being written any more. */
  clear(): void {
    for (const piece of this.#batch) this.#free(piece)
    for (const piece of this.#waiting) this.#free(piece)
    this.#batch = []
    this.#waiting = []
    this.#sends = this.waitingBytes = this.batchBytes = 0
    this.#freeBlock()
  }

  /**
   * Copies up to `length` bytes from the beginning of `data`, as far as there is memory.
   * @param take takes a new block, of the size to use
   */
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

  /** The last waiting piece if it is in this block, else a new one. */
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

/** Whether so few bytes are sent that a small block has room for them, and for some more such sends. */
function isShort(parts: readonly Uint8Array[]): boolean {
  let byteLength = 0
  for (const part of parts) byteLength += part.byteLength
  return byteLength <= SMALL_BLOCK_BYTES / 4
}

/** Whether memory that a program lent was transferred or resized. */
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
