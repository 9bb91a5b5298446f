/**
 * A message to be sent that is not simply copied after others: where its bytes are, and how the transport gets them. There
 * are three ways: copied piece by piece, sent from the application's memory, and in a pooled buffer of the transport.
 */
import { types } from 'node:util'
import { HOST_MEMORY, type PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { giveAway, headroomOf, setHeadroom } from '../buffer-pool/buffer-slot.js'
import { NettsError } from '../errors.js'
import type { Transport } from '../transport.js'
import type { CoalescingChunk } from './coalescing-chunk.js'
import { HEADER_BYTES, writeHeader } from './framing.js'
import { LentMemory } from './lent-memory.js'

/** A message that is being sent, and its progress. */
export interface OutgoingMessage {
  /** The length of its payload in bytes. */
  readonly byteLength: number
  /** How many of its bytes, with its header, were not handed over yet. */
  readonly leftBytes: number
  /** Whether it has begun to leave: from then on it cannot be cancelled. */
  readonly hasBegun: boolean
  /**
   * Puts the part before the uncopied part into the chunk, which has room for a header.
   * @throws NettsError `ERR_NETTS_BUFFER_DETACHED`
   */
  begin(chunk: CoalescingChunk): void
  /**
   * Offers the next part to the transport.
   * @returns how many bytes it took; 0 when it refused
   * @throws NettsError `ERR_NETTS_BUFFER_DETACHED`
   */
  sendPart(transport: Transport): number
  /** Whether it is sent without a copy. */
  readonly isZeroCopy: boolean
  /**
   * The message has to wait. Takes a pooled buffer over from the caller of `send`.
   * @param isAccepted whether the send has already succeeded; then the bytes must be copied
   */
  keep(isAccepted: boolean): void
  /** Gives back the memory that it holds, if any. Idempotent. */
  release(): void
  /**
   * Call it when all of the message was handed over. Calls back when nothing reads the caller's memory any more.
   * @returns `false` when nothing does now; then there is no call
   */
  onReturned(callback: () => void): boolean
}

/** Bytes that are not in a pooled buffer of the transport. Their beginning is copied into the chunk, after the header. */
abstract class PlainMessage implements OutgoingMessage {
  abstract readonly isZeroCopy: boolean
  readonly byteLength: number
  hasBegun = false
  protected payload: Uint8Array
  protected sentPayloadBytes = 0

  constructor(payload: Uint8Array) {
    this.byteLength = payload.length
    this.payload = payload
  }

  get leftBytes(): number {
    return this.hasBegun ? this.byteLength - this.sentPayloadBytes : this.byteLength + HEADER_BYTES
  }

  begin(chunk: CoalescingChunk): void {
    this.checkMemory()
    this.hasBegun = true
    chunk.appendHeader(this.byteLength)
    this.sentPayloadBytes = chunk.appendPart(this.payload)
  }

  abstract sendPart(transport: Transport): number
  abstract keep(isAccepted: boolean): void
  abstract release(): void
  abstract onReturned(callback: () => void): boolean

  /** Memory can be detached while a send waits: transferred, resized, or grown as the memory of WebAssembly. */
  protected checkMemory(): void {
    const { payload, byteLength } = this
    if (payload.length === byteLength) return
    throw new NettsError(
      'ERR_NETTS_BUFFER_DETACHED',
      `the memory of a message of ${byteLength} bytes was transferred or resized before all of it had left`,
      { operation: 'send' },
    )
  }
}

/** Bytes that the transport copies, part by part. */
export class CopiedMessage extends PlainMessage {
  readonly isZeroCopy = false
  #buffer: PooledBuffer | undefined

  /** @param buffer the pooled buffer of the payload, if it is in one that the transport cannot send from */
  constructor(payload: Uint8Array, buffer: PooledBuffer | undefined) {
    super(payload)
    this.#buffer = buffer
  }

  sendPart(transport: Transport): number {
    this.checkMemory()
    const taken = transport.sendCopy(this.payload.subarray(this.sentPayloadBytes))
    this.sentPayloadBytes += taken
    return taken
  }

  keep(isAccepted: boolean): void {
    this.#buffer &&= giveAway(this.#buffer)
    if (!isAccepted || this.#buffer) return
    const copy = Buffer.allocUnsafeSlow(this.byteLength)
    // Only the rest is copied.
    copy.set(this.payload.subarray(this.sentPayloadBytes), this.sentPayloadBytes)
    this.payload = copy
  }

  release(): void {
    this.#buffer?.release()
    this.#buffer = undefined
  }

  onReturned(): boolean {
    return false
  }
}

/** Bytes that are sent from the application's memory without a copy. */
export class LentMessage extends PlainMessage {
  readonly isZeroCopy = true
  readonly #memory: LentMemory

  constructor(payload: Uint8Array) {
    super(payload)
    this.#memory = new LentMemory(payload)
  }

  sendPart(transport: Transport): number {
    this.checkMemory()
    const byteLength = Math.min(this.byteLength - this.sentPayloadBytes, transport.maxSendSize)
    const piece = this.#memory.piece(transport.bufferPool, this.sentPayloadBytes, byteLength)
    if (!transport.sendBuffer(piece)) return 0
    this.sentPayloadBytes += byteLength
    return byteLength
  }

  keep(): void {}

  release(): void {}

  onReturned(callback: () => void): boolean {
    return this.#memory.onReturned(callback)
  }
}

/** A pooled buffer of the transport. Its header is in front of it, or in the chunk before. */
export class BufferMessage implements OutgoingMessage {
  readonly byteLength: number
  readonly isZeroCopy = true
  hasBegun = false
  #buffer: PooledBuffer | undefined

  constructor(buffer: PooledBuffer) {
    this.byteLength = buffer.byteLength
    this.#buffer = buffer
  }

  get leftBytes(): number {
    if (!this.#buffer) return 0
    return this.hasBegun ? this.byteLength : this.byteLength + HEADER_BYTES
  }

  begin(chunk: CoalescingChunk): void {
    // If there is room in front of the buffer, `sendPart` writes the header there.
    if (headroomOf(this.#buffer!) === HEADER_BYTES) return
    this.hasBegun = true
    chunk.appendHeader(this.byteLength)
  }

  sendPart(transport: Transport): number {
    const buffer = this.#buffer!
    const isFramed = headroomOf(buffer) === HEADER_BYTES
    if (isFramed) {
      setHeadroom(buffer, 0)
      writeHeader(buffer.bytes, 0, this.byteLength)
    }
    const { byteLength } = buffer
    if (!transport.sendBuffer(buffer)) {
      if (isFramed) setHeadroom(buffer, HEADER_BYTES)
      return 0
    }
    this.hasBegun = true
    this.#buffer = undefined
    return byteLength
  }

  keep(): void {
    this.#buffer &&= giveAway(this.#buffer)
  }

  release(): void {
    this.#buffer?.release()
    this.#buffer = undefined
  }

  onReturned(): boolean {
    return false
  }
}

/**
 * Whether a transport can send a pooled buffer as it is: its memory is of the same domain, and it fits into one send.
 * A buffer of a pool that is not of this package may have a different headroom.
 */
export function canSendBuffer(buffer: PooledBuffer, { bufferPool, maxSendSize }: Transport): boolean {
  const headroom = headroomOf(buffer)
  return (
    buffer.pool.domain === bufferPool.domain &&
    (headroom === 0 || headroom === HEADER_BYTES) &&
    buffer.byteLength > 0 &&
    buffer.byteLength + headroom <= maxSendSize
  )
}

/** Whether bytes can be sent from the application's memory: only if the transport sends from host memory. */
export function canLend(payload: Uint8Array, { bufferPool }: Transport): boolean {
  return bufferPool.domain === HOST_MEMORY && types.isArrayBuffer(payload.buffer)
}
