/** Writes messages to a transport, one after the other, as far as the transport accepts them now. */
import { NO_BYTES } from '../runtime/bytes.js'
import type { Transport } from '../transport.js'
import { CoalescingChunk } from './coalescing-chunk.js'
import { HEADER_BYTES, writeHeader } from './framing.js'
import type { OutgoingMessage } from './outgoing-message.js'

/**
 * A pooled buffer of up to this size is copied after other messages: with TCP on loopback, a separate send takes 0.7 µs
 * longer than the copy up to 4 KiB, and about as long from 16 KiB on.
 */
const MAX_COPIED_BUFFER_BYTES = 4096

/** What a writer calls in its connection. */
export interface WriterOwner {
  /** Schedules `pump` for the next tick, after the program of this turn has run. */
  schedulePump(): void
  /** The transport refused. If it is closed already, its waker will not be called. */
  checkClosed(): void
  /** Data was handed to the transport, or waits: starts the stall deadline. */
  watchStall(): void
}

// One of each for all connections, because transports copy before they return.
const header = new Uint8Array(HEADER_BYTES)
const answerParts: Uint8Array[] = [header, NO_BYTES]

/** Writes one message after the other. The caller keeps the order. */
export class MessageWriter {
  /** How many sends the transport accepted. */
  postedSends = 0
  /** How many bytes were in them. */
  postedBytes = 0
  zeroCopySends = 0
  /** The largest payload that is copied after others, to leave with them. */
  readonly maxSmallPayload: number
  /** The largest payload in a pooled buffer that is copied after others too. */
  readonly maxCopiedBuffer: number
  /** The smallest payload for which lending saves more than half of the copy. */
  readonly minLentPayload: number
  readonly #transport: Transport
  readonly #owner: WriterOwner
  readonly #chunk: CoalescingChunk
  /** Whether one message was received and nothing was sent since: the next small message leaves at once. */
  mayAnswer = false
  // The transport refused. Nothing is tried again until its waker is called.
  #isBlocked = false

  constructor(transport: Transport, owner: WriterOwner) {
    this.#transport = transport
    this.#owner = owner
    this.#chunk = new CoalescingChunk(transport)
    this.maxSmallPayload = this.#chunk.capacity - HEADER_BYTES
    this.maxCopiedBuffer = Math.min(this.maxSmallPayload, MAX_COPIED_BUFFER_BYTES)
    this.minLentPayload = 2 * this.#chunk.capacity
  }

  /** How many bytes were written and not handed to the transport yet. */
  get gatheredBytes(): number {
    return this.#chunk.byteLength
  }

  /** Whether the transport refused, and nothing has changed since. */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** The transport may take more now. */
  unblock(): void {
    this.#isBlocked = false
  }

  /**
   * Writes as much of a message as is possible now. After its last byte the message is released.
   * @returns whether all of it is written
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

  /** Copies a small message after the others. @returns `false` when none of it could be written */
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

  /** Hands the gathered bytes to the transport. @returns whether none are left */
  post(): boolean {
    while (this.#chunk.byteLength > 0) {
      if (this.#isBlocked) return false
      const taken = this.#chunk.post()
      if (taken === 0) return this.#onRefused()
      this.#onPosted(taken)
    }
    return true
  }

  /** Drops the bytes that have not left. */
  discard(): void {
    this.#chunk.discard()
  }

  /** Sends a small message by itself, while nothing else waits. @returns `false` when none of it could be sent */
  #answer(payload: Uint8Array): boolean {
    const byteLength = HEADER_BYTES + payload.length
    if (!this.#chunk.hasRoom(byteLength)) return false
    writeHeader(header, 0, payload.length)
    answerParts[1] = payload
    let taken: number
    try {
      taken = this.#transport.sendGather(answerParts)
    } finally {
      // So that the program's memory is not kept, also when the transport throws.
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

  /** A small message is put into one chunk, so that the peer can read it in place; a large one begins where there is room. */
  #begin(message: OutgoingMessage): boolean {
    const { byteLength, isZeroCopy } = message
    const isSmall = !isZeroCopy && byteLength <= this.maxSmallPayload
    if (!isSmall && this.#isBlocked) return false
    const room = HEADER_BYTES + (isSmall ? byteLength : 0)
    if (!this.#chunk.hasRoom(room) && !this.post()) return false
    message.begin(this.#chunk)
    return true
  }

  /** A full chunk leaves at once, another one in the next tick. */
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
