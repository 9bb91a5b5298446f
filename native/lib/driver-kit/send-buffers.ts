/**
 * The buffers into which one transport copies what it sends. They are taken as they are needed, and given back when
 * they were not in use for a while.
 */
import type { RegisteredBuffer, TransportMemory } from './memory.js'

/** Buffers that a transport keeps when it has nothing to send. */
export const LEAST_BUFFERS = 2

/** The send buffers of one transport. */
export class SendBuffers {
  /** Buffers taken from the memory, in use or free. */
  held = 0
  readonly #memory: TransportMemory
  readonly #most: number
  readonly #free: RegisteredBuffer[] = []
  /** Taking a buffer failed since the last {@link trim}. */
  #short = false

  /**
   * Takes the first {@link LEAST_BUFFERS}.
   * @param most how many buffers there may be
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when there is no memory for them
   */
  constructor(memory: TransportMemory, most: number) {
    this.#memory = memory
    this.#most = most
    try {
      while (this.held < Math.min(LEAST_BUFFERS, most)) this.#free.push(this.#add())
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Whether {@link trim} may have something to do. */
  get hasExtra(): boolean {
    return this.held > LEAST_BUFFERS || this.#short
  }

  /** A free buffer; `undefined` when all are in use and no more can be taken. */
  take(): RegisteredBuffer | undefined {
    return this.#free.pop() ?? this.#tryAdd()
  }

  /** The buffer is free again. */
  putBack(buffer: RegisteredBuffer): void {
    this.#free.push(buffer)
  }

  /** Gives free buffers back to the memory until {@link LEAST_BUFFERS} are held. To be called now and then. */
  trim(): void {
    this.#short = false
    while (this.#free.length > 0 && this.held > LEAST_BUFFERS) this.#giveBack(this.#free.pop()!)
  }

  /** Gives all buffers back. None may be in use. */
  close(): void {
    for (const buffer of this.#free.splice(0)) this.#giveBack(buffer)
  }

  #tryAdd(): RegisteredBuffer | undefined {
    if (this.held >= this.#most || this.#short) return undefined
    try {
      return this.#add()
    } catch {
      // No more memory can be pinned: a buffer becomes free when a send completes.
      this.#short = true
      return undefined
    }
  }

  #add(): RegisteredBuffer {
    const buffer = this.#memory.takeBuffer()
    this.held++
    return buffer
  }

  #giveBack(buffer: RegisteredBuffer): void {
    this.#memory.putBack(buffer)
    this.held--
  }
}

/**
 * Copies the parts, one after the other, into `target`, as far as they fit.
 * @param offset where in `target` to begin, in bytes
 * @param most how many bytes to copy at most
 * @returns how many bytes were copied
 */
export function copyParts(
  parts: readonly Uint8Array[],
  target: Uint8Array,
  offset: number,
  most: number,
): number {
  let filled = 0
  for (const part of parts) {
    const room = most - filled
    if (room === 0) break
    target.set(part.length > room ? part.subarray(0, room) : part, offset + filled)
    filled += Math.min(room, part.length)
  }
  return filled
}
