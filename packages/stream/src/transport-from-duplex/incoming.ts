/** What was received: chunks that wait to be polled, chunks that are handed out, and how much of the window they use. */
import type { RecvCompletion } from '@netts/core'
import { ChunkTable } from '@netts/core/driver'

/** A chunk counts as at least so many bytes of the window, so that a peer that sends single bytes is bounded too. */
const LEAST_CHUNK_BYTES = 256

/** The receiving half of a transport, with no stream in it. */
export class Incoming {
  readonly #window: number
  readonly #handedOut = new ChunkTable<Uint8Array>()
  #chunks: Uint8Array[] = []
  /** The next one of them to be handed out. */
  #next = 0
  #heldBytes = 0

  /** @param window in bytes */
  constructor(window: number) {
    this.#window = window
  }

  /** Whether nothing more should be received before a release. */
  get isFull(): boolean {
    return this.#heldBytes >= this.#window
  }

  /** Whether something waits to be polled. */
  get hasUnpolled(): boolean {
    return this.#next < this.#chunks.length
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes)
    this.#heldBytes += windowCost(bytes)
  }

  /** See `Transport.pollRecv`. */
  poll(out: RecvCompletion[]): number {
    const count = Math.min(out.length, this.#chunks.length - this.#next)
    for (let i = 0; i < count; i++) {
      const bytes = this.#chunks[this.#next++]!
      out[i]!.chunkIndex = this.#handedOut.add(bytes)
      out[i]!.byteLength = bytes.byteLength
    }
    if (count > 0 && !this.hasUnpolled) this.#forget()
    return count
  }

  /** See `Transport.recvBuf`. */
  get(chunkIndex: number): Uint8Array {
    return this.#handedOut.get(chunkIndex)
  }

  /** See `Transport.repostRecv`. */
  release(chunkIndex: number): void {
    this.#heldBytes -= windowCost(this.#handedOut.remove(chunkIndex))
  }

  /** Drops what nobody polled. */
  discard(): void {
    for (let i = this.#next; i < this.#chunks.length; i++) this.#heldBytes -= windowCost(this.#chunks[i]!)
    this.#forget()
  }

  #forget(): void {
    this.#chunks = []
    this.#next = 0
  }
}

function windowCost(bytes: Uint8Array): number {
  return Math.max(bytes.byteLength, LEAST_CHUNK_BYTES)
}
