/** Puts messages on a transport, each in the cheapest way, as far as the transport takes them now. */
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { headroomOf, setHeadroom } from '../buffer-pool/buffer-slot.js'
import type { Transport } from '../transport.js'
import { CoalescingChunk } from './coalescing-chunk.js'
import { HEADER_BYTES, writeHeader } from './framing.js'
import type { LentMemory } from './lent-memory.js'

// Captured, so that a test runner's fake timers don't freeze connections.
const { nextTick } = process

/**
 * A pooled buffer with no more payload than this is copied behind other messages all the same: with TCP on loopback,
 * a send of its own takes 0.7 µs more than the copy, up to 4 KiB, and about as long from 16 KiB on.
 */
const MAX_COPIED_BUFFER_BYTES = 4096

// One for all connections, as the transport copies before it returns.
const header = new Uint8Array(HEADER_BYTES)
const gather: Uint8Array[] = [header, header]

/** A message on its way out, and how far it got. */
export interface OutgoingMessage {
  readonly payload: Uint8Array
  /** Where the payload lies, if in a pooled buffer; `undefined` once the transport has it. */
  buffer: PooledBuffer | undefined
  /** The payload, if its owner lent it until it has left. */
  lent: LentMemory | undefined
  /** Bytes of header and payload that are on their way; from the first on it can't be taken back. */
  sentBytes: number
}

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
  readonly #chunk: CoalescingChunk
  readonly #onRefusedForEver: () => void
  // The transport refused; nothing is tried again until its waker says so.
  #isBlocked = false
  #isPostScheduled = false

  /** @param onRefusedForEver called when the transport refused a send because it is closed */
  constructor(transport: Transport, onRefusedForEver: () => void) {
    this.#transport = transport
    this.#chunk = new CoalescingChunk(transport)
    this.maxSmallPayload = this.#chunk.capacity - HEADER_BYTES
    this.maxCopiedBuffer = Math.min(this.maxSmallPayload, MAX_COPIED_BUFFER_BYTES)
    this.minLentPayload = 2 * this.#chunk.capacity
    this.#onRefusedForEver = onRefusedForEver
  }

  /** Whether the transport has everything that was written. */
  get isIdle(): boolean {
    return this.#chunk.byteLength === 0
  }

  /** The transport may take more now. */
  unblock(): void {
    this.#isBlocked = false
  }

  /** Writes as much of a message as is possible now. @returns whether that was all of it */
  write(message: OutgoingMessage): boolean {
    const { payload, buffer } = message
    const { bufferPool, maxSendSize } = this.#transport
    const stays = payload.byteLength > this.maxCopiedBuffer || message.sentBytes > 0
    if (buffer !== undefined && stays && buffer.pool.domain === bufferPool.domain) {
      const headroom = headroomOf(buffer)
      if (headroom === HEADER_BYTES && payload.byteLength + HEADER_BYTES <= maxSendSize) {
        return this.#writeFramed(message, buffer)
      }
      if (headroom === 0 && payload.byteLength > 0 && payload.byteLength <= maxSendSize) {
        return this.#writeBehindHeader(message, buffer)
      }
    }
    if (message.lent !== undefined) return this.#writeLent(message, message.lent)
    const isSmall = payload.byteLength <= this.maxSmallPayload
    if (!(isSmall ? this.writeSmall(payload) : this.#writeInChunks(message))) return false
    releaseBuffer(message)
    return true
  }

  /** Copies a small message behind the others. @returns false when nothing of it was possible */
  writeSmall(payload: Uint8Array): boolean {
    if (!this.#chunk.append(payload)) {
      if (!this.post()) return false
      this.#chunk.append(payload)
    }
    if (this.#chunk.isFull) this.post()
    else this.#schedulePost()
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

  /** A large message: the transport copies chunk after chunk of it. */
  #writeInChunks(message: OutgoingMessage): boolean {
    if (!this.post()) return false
    const { payload } = message
    const byteLength = payload.byteLength + HEADER_BYTES
    while (message.sentBytes < byteLength) {
      if (this.#isBlocked) return false
      const taken = this.#sendPart(payload, message.sentBytes)
      if (taken === 0) return this.#onRefused()
      message.sentBytes += taken
      this.#onPosted(taken)
    }
    return true
  }

  #sendPart(payload: Uint8Array, sentBytes: number): number {
    if (sentBytes >= HEADER_BYTES) return this.#transport.sendCopy(payload.subarray(sentBytes - HEADER_BYTES))
    writeHeader(header, 0, payload.byteLength)
    gather[0] = header.subarray(sentBytes)
    gather[1] = payload
    const taken = this.#transport.sendGather(gather)
    // The message shall not live on here.
    gather[1] = header
    return taken
  }

  /**
   * A message whose owner lends it: its beginning fills the chunk before, and the rest leaves uncopied. All written, it
   * is its owner's again only once the transport gave it back.
   */
  #writeLent(message: OutgoingMessage, lent: LentMemory): boolean {
    const { payload } = message
    if (message.sentBytes === 0 && !this.#beginLent(message)) return false
    const end = HEADER_BYTES + payload.byteLength
    while (message.sentBytes < end) {
      if (!this.post() || this.#isBlocked) return false
      const { bufferPool, maxSendSize } = this.#transport
      const byteLength = Math.min(end - message.sentBytes, maxSendSize)
      const piece = lent.piece(bufferPool, message.sentBytes - HEADER_BYTES, byteLength)
      if (!this.#transport.sendBuffer(piece)) return this.#onRefused()
      message.sentBytes += byteLength
      this.#onPosted(byteLength)
    }
    this.zeroCopySends++
    return true
  }

  #beginLent(message: OutgoingMessage): boolean {
    const { byteLength } = message.payload
    if (this.#isBlocked) return false
    if (!this.#chunk.appendHeader(byteLength)) {
      if (!this.post()) return false
      this.#chunk.appendHeader(byteLength)
    }
    message.sentBytes = HEADER_BYTES + this.#chunk.appendPart(message.payload, 0)
    return true
  }

  /** A buffer with room for its header in front: nothing is copied. */
  #writeFramed(message: OutgoingMessage, buffer: PooledBuffer): boolean {
    if (!this.post() || this.#isBlocked) return false
    const { byteLength } = message.payload
    setHeadroom(buffer, 0)
    writeHeader(buffer.bytes, 0, byteLength)
    if (!this.#transport.sendBuffer(buffer)) {
      setHeadroom(buffer, HEADER_BYTES)
      return this.#onRefused()
    }
    this.#onBufferPosted(message, byteLength + HEADER_BYTES)
    return true
  }

  /** Any other buffer of the same memory: its header ends the chunk before, and it follows uncopied. */
  #writeBehindHeader(message: OutgoingMessage, buffer: PooledBuffer): boolean {
    const { byteLength } = message.payload
    if (message.sentBytes === 0) {
      if (this.#isBlocked) return false
      if (!this.#chunk.appendHeader(byteLength)) {
        if (!this.post()) return false
        this.#chunk.appendHeader(byteLength)
      }
      message.sentBytes = HEADER_BYTES
    }
    if (!this.post() || this.#isBlocked) return false
    if (!this.#transport.sendBuffer(buffer)) return this.#onRefused()
    this.#onBufferPosted(message, byteLength)
    return true
  }

  #schedulePost(): void {
    if (this.#isPostScheduled) return
    this.#isPostScheduled = true
    nextTick(MessageWriter.#onTick, this)
  }

  static #onTick(this: void, writer: MessageWriter): void {
    writer.#isPostScheduled = false
    writer.post()
  }

  #onBufferPosted(message: OutgoingMessage, byteLength: number): void {
    message.buffer = undefined
    this.zeroCopySends++
    this.#onPosted(byteLength)
  }

  #onPosted(byteLength: number): void {
    this.postedSends++
    this.postedBytes += byteLength
  }

  #onRefused(): false {
    this.#isBlocked = true
    // The waker announces changes only, and a closed transport changes no more.
    if (this.#transport.pollDisconnect()) this.#onRefusedForEver()
    return false
  }
}

/** Gives a message's pooled buffer back, if it still has one. */
export function releaseBuffer(message: OutgoingMessage): void {
  message.buffer?.release()
  message.buffer = undefined
}
