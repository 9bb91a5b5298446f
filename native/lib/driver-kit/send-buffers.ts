/**
 * The buffers that one transport copies into when it sends. They come as they are needed, and go when time passed in
 * which they were free.
 */
import type { RegisteredBuffer, TransportMemory } from './memory.js'

/** Buffers that are kept when there is nothing to send. */
export const LEAST_BUFFERS = 2

/** See above. */
export class SendBuffers {
  /** Buffers that hold memory, in use or free. */
  held = 0
  readonly #memory: TransportMemory
  readonly #most: number
  readonly #free: RegisteredBuffer[] = []
  /** No more memory could be had, a while ago. */
  #short = false

  /**
   * @param most how many there may be
   * @throws NettsError when the least memory can't be had
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

  /** Whether there are some that could be given back. */
  get hasExtra(): boolean {
    return this.held > LEAST_BUFFERS || this.#short
  }

  /** One that is free; `undefined` when all are in use, and no more memory can be had. */
  take(): RegisteredBuffer | undefined {
    return this.#free.pop() ?? this.#tryAdd()
  }

  /** It is free again. */
  putBack(buffer: RegisteredBuffer): void {
    this.#free.push(buffer)
  }

  /** Gives back those that are free, all but the least. */
  trim(): void {
    this.#short = false
    while (this.#free.length > 0 && this.held > LEAST_BUFFERS) this.#giveBack(this.#free.pop()!)
  }

  /** Gives back all, none of which is in use any more. */
  close(): void {
    for (const buffer of this.#free.splice(0)) this.#giveBack(buffer)
  }

  #tryAdd(): RegisteredBuffer | undefined {
    if (this.held >= this.#most || this.#short) return undefined
    try {
      return this.#add()
    } catch {
      // No more memory can be pinned: those that are on their way come back.
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
 * Copies as much of the parts as fits.
 * @param offset where in `target` to begin
 * @param most how many bytes fit
 * @returns how many were copied
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
