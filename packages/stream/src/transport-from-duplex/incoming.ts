/** Received chunks: those that wait to be polled, those that are handed out, and how much of the window they use. */
import type { RecvCompletion } from '@netts/core'
import { ChunkTable } from '@netts/core/driver'

/** A chunk counts as at least this many bytes of the window, so that a peer that sends single bytes is bounded too. */
const LEAST_CHUNK_BYTES = 256

/** The receiving half of a transport, without I/O. */
export class Incoming {
  readonly #window: number
  readonly #handedOut = new ChunkTable<Uint8Array>()
  #chunks: Uint8Array[] = []
  /** The index of the next chunk that is handed out. */
  #next = 0
  /** How many bytes of the window all chunks use, and those that are handed out. */
  #heldBytes = 0
  #handedOutBytes = 0

  /** @param window in bytes */
  constructor(window: number) {
    this.#window = window
  }

  /**
   * Whether nothing more should be received before a release. It is `false` when the window is used up exactly, since the
   * end may come next.
   */
  get isFull(): boolean {
    return this.#heldBytes > this.#window
  }

  /** Whether nothing more is handed out before a release. More may be received than fits, since a stream stops late. */
  get isHandedOut(): boolean {
    return this.#handedOutBytes >= this.#window
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
    const most = Math.min(out.length, this.#chunks.length - this.#next)
    let count = 0
    for (; count < most && !this.isHandedOut; count++) {
      const bytes = this.#chunks[this.#next++]!
      this.#handedOutBytes += windowCost(bytes)
      out[count]!.chunkIndex = this.#handedOut.add(bytes)
      out[count]!.byteLength = bytes.byteLength
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
    const cost = windowCost(this.#handedOut.remove(chunkIndex))
    this.#heldBytes -= cost
    this.#handedOutBytes -= cost
  }

  /** Drops the chunks that were not polled. */
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
