/**
 * Chunks in the ring: each is queued, handed out, or released. They may be released in any order; the ring is free up
 * to the first chunk that is not released. A chunk's index is its number in the stream.
 */
import { HEADER_BYTES } from './frame.js'

const QUEUED = 0
const HANDED_OUT = 1
const RELEASED = 2

/** Chunks for which the table has room at first. */
const LEAST_CHUNKS = 16

/** The chunks of one ring. It has no `#private` fields, so that a model checker can copy it. */
export class Chunks {
  /** Index of the oldest chunk that is not released. */
  first = 0
  /** Index of the chunk that is handed out next. */
  nextOut = 0
  /** Index of the chunk that is queued next. */
  nextIn = 0
  /** Bytes of the ring that are handed out, headers included. */
  outBytes = 0
  /** The position up to which everything was released. */
  releasedTo = 0
  // By index modulo their length, which is a power of two.
  private states = new Uint8Array(LEAST_CHUNKS)
  private offsets = new Uint32Array(LEAST_CHUNKS)
  private byteLengths = new Uint32Array(LEAST_CHUNKS)
  private ends = new Uint32Array(LEAST_CHUNKS)

  /** Chunks that wait to be handed out. */
  get queued(): number {
    return this.nextIn - this.nextOut
  }

  /** {@link outBytes} once the next one is handed out. */
  get outBytesWithNext(): number {
    return this.outBytes + HEADER_BYTES + this.byteLength(this.nextOut)
  }

  /** A chunk arrived. @param offset of its data in the ring, in bytes @param end the position after it */
  queue(offset: number, byteLength: number, end: number): void {
    if (this.nextIn - this.first === this.states.length) this.grow()
    const at = this.nextIn++ & (this.states.length - 1)
    this.states[at] = QUEUED
    this.offsets[at] = offset
    this.byteLengths[at] = byteLength
    this.ends[at] = end
  }

  /** Hands out the oldest queued chunk. There is one. @returns its index */
  handOut(): number {
    const index = this.nextOut++
    this.states[this.at(index)] = HANDED_OUT
    this.outBytes += HEADER_BYTES + this.byteLength(index)
    return index
  }

  /** Whether there is a chunk of this index that is handed out. */
  isOut(index: number): boolean {
    if (!Number.isSafeInteger(index) || index < this.first || index >= this.nextOut) return false
    return this.states[this.at(index)] === HANDED_OUT
  }

  /** Where a chunk's data begins in the ring, in bytes. */
  offset(index: number): number {
    return this.offsets[this.at(index)]!
  }

  /** Length of a chunk's data in bytes. */
  byteLength(index: number): number {
    return this.byteLengths[this.at(index)]!
  }

  /** Releases a chunk that {@link isOut}. */
  release(index: number): void {
    this.states[this.at(index)] = RELEASED
    this.outBytes -= HEADER_BYTES + this.byteLength(index)
    while (this.first < this.nextOut && this.states[this.at(this.first)] === RELEASED) {
      this.releasedTo = this.ends[this.at(this.first++)]!
    }
  }

  /** Releases the chunks that were not handed out. */
  discardQueued(): void {
    while (this.queued > 0) this.release(this.handOut())
  }

  private at(index: number): number {
    // Also right for an index beyond 2^32: `&` takes its lowest 32 bits.
    return index & (this.states.length - 1)
  }

  private grow(): void {
    const { states, offsets, byteLengths, ends } = this
    const [from, to] = [states.length, 2 * states.length]
    this.states = new Uint8Array(to)
    this.offsets = new Uint32Array(to)
    this.byteLengths = new Uint32Array(to)
    this.ends = new Uint32Array(to)
    for (let index = this.first; index < this.nextIn; index++) {
      const [old, now] = [index & (from - 1), index & (to - 1)]
      this.states[now] = states[old]!
      this.offsets[now] = offsets[old]!
      this.byteLengths[now] = byteLengths[old]!
      this.ends[now] = ends[old]!
    }
  }
}
