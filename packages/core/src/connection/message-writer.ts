/** Puts messages on a transport, one after the other, as far as the transport takes them now. */
import { NO_BYTES } from '../runtime/bytes.js'
import type { Transport } from '../transport.js'
import { CoalescingChunk } from './coalescing-chunk.js'
import { HEADER_BYTES, writeHeader } from './framing.js'
import type { OutgoingMessage } from './outgoing-message.js'

/**
 * A pooled buffer with no more payload than this is copied behind other messages all the same: with TCP on loopback,
 * a send of its own takes 0.7 µs more than the copy, up to 4 KiB, and about as long from 16 KiB on.
 */
const MAX_COPIED_BUFFER_BYTES = 4096

/** What a writer asks of its connection. */
export interface WriterOwner {
  /** `pump` is due at the end of this turn's program. */
  schedulePump(): void
  /** The transport refused: if it is closed, its waker will not say so. */
  checkClosed(): void
  /** Something was handed over, or has to wait: the peer has to take it. */
  watchStall(): void
}

// One of each for all connections, as transports copy before they return.
const header = new Uint8Array(HEADER_BYTES)
const answerParts: Uint8Array[] = [header, NO_BYTES]

/** Writes one message after the other; whoever calls it keeps the order. */
export class MessageWriter {
  /** Sends that the transport accepted. */
  postedSends = 0
  /** Bytes in them. */
  postedBytes = 0
  zeroCopySends = 0
  /** The largest payload that is copied behind others, to leave with them. */
  readonly maxSmallPayload: number
  /** The largest payload that is copied so although it lies in a pooled buffer. */
  readonly maxCopiedBuffer: number
  /** The smallest payload of which lending saves more than half of the copy. */
  readonly minLentPayload: number
  readonly #transport: Transport
  readonly #owner: WriterOwner
  readonly #chunk: CoalescingChunk
  /** One message was received, and nothing sent since: the next small one leaves at once. */
  mayAnswer = false
  // The transport refused; nothing is tried again until its waker says so.
  #isBlocked = false

  constructor(transport: Transport, owner: WriterOwner) {
    this.#transport = transport
    this.#owner = owner
    this.#chunk = new CoalescingChunk(transport)
    this.maxSmallPayload = this.#chunk.capacity - HEADER_BYTES
    this.maxCopiedBuffer = Math.min(this.maxSmallPayload, MAX_COPIED_BUFFER_BYTES)
    this.minLentPayload = 2 * this.#chunk.capacity
  }

  /** Bytes that were written and that the transport has not got yet. */
  get gatheredBytes(): number {
    return this.#chunk.byteLength
  }

  /** The transport refused, and nothing has changed since. */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** The transport may take more now. */
  unblock(): void {
    this.#isBlocked = false
  }

  /**
   * Writes as much of a message as is possible now. What it holds is given back with its last byte.
   * @returns whether that was all of it
   * @throws NettsError `ERR_NETTS_BUFFER_DETACHED`
   */
  write(message: OutgoingMessage): boolean {
    if (!message.hasBegun && !this.#begin(message)) return false
    while (message.leftBytes > 0) {
      if (!this.post() || this.#isBlocked) return false
      const taken = message.sendPart(this.#transport)
      if (taken === 0) return this.#onRefused()
      this.#onPosted(taken)
    }
    if (message.isZeroCopy) this.zeroCopySends++
    message.release()
    this.#leaveSoon()
    return true
  }

  /** Copies a small message behind the others. @returns false when nothing of it was possible */
  writeSmall(payload: Uint8Array): boolean {
    if (this.mayAnswer) {
      this.mayAnswer = false
      if (this.#chunk.byteLength === 0 && !this.#isBlocked && this.#answer(payload)) return true
    }
    if (!this.#chunk.append(payload)) {
      if (!this.post()) return false
      this.#chunk.append(payload)
    }
    this.#leaveSoon()
    return true
  }

  /** Hands what gathered to the transport. @returns whether nothing is left */
  post(): boolean {
    while (this.#chunk.byteLength > 0) {
      if (this.#isBlocked) return false
      const taken = this.#chunk.post()
      if (taken === 0) return this.#onRefused()
      this.#onPosted(taken)
    }
    return true
  }

  /** Drops what has not left. */
  discard(): void {
    this.#chunk.discard()
  }

  /** Sends a small message by itself, while nothing else waits. @returns false when nothing of it was possible */
  #answer(payload: Uint8Array): boolean {
    const byteLength = HEADER_BYTES + payload.length
    if (!this.#chunk.hasRoom(byteLength)) return false
    writeHeader(header, 0, payload.length)
    answerParts[1] = payload
    let taken: number
    try {
      taken = this.#transport.sendGather(answerParts)
    } finally {
      // Also when the transport throws: nothing keeps the program's memory.
      answerParts[1] = NO_BYTES
    }
    if (taken === 0) return this.#onRefused()
    this.#onPosted(taken)
    if (taken < byteLength) {
      this.#chunk.appendPart(header.subarray(taken))
      this.#chunk.appendPart(payload.subarray(Math.max(0, taken - HEADER_BYTES)))
      this.#leaveSoon()
    }
    this.#owner.watchStall()
    return true
  }

  /** A small message lies in one chunk, for a reader that takes it in place; a large one begins where there is room. */
  #begin(message: OutgoingMessage): boolean {
    const { byteLength, isZeroCopy } = message
    const isSmall = !isZeroCopy && byteLength <= this.maxSmallPayload
    if (!isSmall && this.#isBlocked) return false
    const room = HEADER_BYTES + (isSmall ? byteLength : 0)
    if (!this.#chunk.hasRoom(room) && !this.post()) return false
    message.begin(this.#chunk)
    return true
  }

  /** A full chunk leaves at once, another one when this turn's program has run. */
  #leaveSoon(): void {
    if (this.#chunk.isFull) this.post()
    else if (this.#chunk.byteLength > 0) this.#owner.schedulePump()
  }

  #onPosted(byteLength: number): void {
    this.postedSends++
    this.postedBytes += byteLength
  }

  #onRefused(): false {
    this.#isBlocked = true
    this.#owner.checkClosed()
    return false
  }
}
