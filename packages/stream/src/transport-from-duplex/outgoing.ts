/**
 * Accepted sends in order: those that wait, and the batch that was written to the stream and that the stream has not taken
 * yet.
 */
import { NettsError } from '@netts/core'
import type { BufferSlot } from '@netts/core/driver'

/** The largest batch. A stream takes a batch as a whole, and so shows no progress within it. */
const MOST_BATCH_BYTES = 256 * 1024

/** One accepted send: memory of its own, or part of a pooled buffer that is freed after it. */
class Send {
  readonly byteLength: number
  readonly #memory: Uint8Array
  readonly #byteOffset: number
  readonly #slot: BufferSlot | undefined

  constructor(memory: Uint8Array, byteOffset: number, byteLength: number, slot?: BufferSlot) {
    this.#memory = memory
    this.#byteOffset = byteOffset
    this.byteLength = byteLength
    this.#slot = slot
  }

  /** @throws NettsError `ERR_NETTS_BUFFER_DETACHED` when the memory was transferred or resized */
  get bytes(): Buffer {
    this.checkMemory()
    const { buffer, byteOffset } = this.#memory
    return Buffer.from(buffer as ArrayBuffer, byteOffset + this.#byteOffset, this.byteLength)
  }

  /** Memory that a program lent can be transferred or resized. @throws as {@link bytes} */
  checkMemory(): void {
    if (this.#byteOffset + this.byteLength <= this.#memory.length) return
    throw new NettsError(
      'ERR_NETTS_BUFFER_DETACHED',
      'the memory of a message was transferred or resized before all of it had left',
      { operation: 'send' },
    )
  }

  free(): void {
    this.#slot?.free()
  }
}

/** The sending half of a transport, without I/O. */
export class Outgoing {
  readonly #depth: number
  #waiting: Send[] = []
  #batch: Send[] = []
  /** How many sends of the batch the stream has taken. */
  #taken = 0
  /** Bytes of sends that wait, or that were written and not taken. */
  queuedBytes = 0

  /** @param depth how many sends it holds */
  constructor(depth: number) {
    this.#depth = depth
  }

  /** Accepted sends that were not taken yet. */
  get sends(): number {
    return this.#waiting.length + this.#batch.length - this.#taken
  }

  get hasRoom(): boolean {
    return this.sends < this.#depth
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Whether the last batch is taken, so that there may be a next one. */
  get isBatchTaken(): boolean {
    return this.#taken === this.#batch.length
  }

  /** Copies up to `limit` bytes of the parts, as one send. @returns how many bytes */
  copy(parts: readonly Uint8Array[], limit: number): number {
    let total = 0
    for (const part of parts) total += part.byteLength
    const memory = Buffer.allocUnsafe(Math.min(total, limit))
    let filled = 0
    for (const part of parts) {
      if (filled === memory.byteLength) break
      const left = memory.byteLength - filled
      memory.set(part.byteLength <= left ? part : part.subarray(0, left), filled)
      filled += Math.min(part.byteLength, left)
    }
    this.#add(new Send(memory, 0, filled))
    return filled
  }

  /** Adds part of a pooled buffer as one send, and owns its slot from then on. */
  add(slot: BufferSlot, byteOffset: number, byteLength: number): void {
    this.#add(new Send(slot.slab, slot.byteOffset + byteOffset, byteLength, slot))
  }

  #add(send: Send): void {
    this.#waiting.push(send)
    this.queuedBytes += send.byteLength
  }

  /** Makes the next batch of the sends that wait, up to a limit. Only with {@link isBatchTaken}. */
  nextBatch(): readonly Send[] {
    let count = 0
    for (let bytes = 0; count < this.#waiting.length && bytes < MOST_BATCH_BYTES; count++) {
      bytes += this.#waiting[count]!.byteLength
    }
    this.#batch = this.#waiting.splice(0, count)
    this.#taken = 0
    return this.#batch
  }

  /**
   * The stream took the next send of the batch, or failed to write it. Check its memory only if it took it.
   * @returns that send; `undefined` when the batch was dropped
   */
  take(): Send | undefined {
    const send = this.#batch[this.#taken++]
    if (!send) return undefined
    this.queuedBytes -= send.byteLength
    send.free()
    if (this.isBatchTaken) {
      this.#batch = []
      this.#taken = 0
    }
    return send
  }

  /** Drops the sends that wait. */
  dropWaiting(): void {
    for (const send of this.#waiting.splice(0)) {
      this.queuedBytes -= send.byteLength
      send.free()
    }
  }

  /** Drops the batch that was written: the stream is closed and no longer reads it. */
  dropBatch(): void {
    for (let i = this.#taken; i < this.#batch.length; i++) {
      this.queuedBytes -= this.#batch[i]!.byteLength
      this.#batch[i]!.free()
    }
    this.#batch = []
    this.#taken = 0
  }
}
