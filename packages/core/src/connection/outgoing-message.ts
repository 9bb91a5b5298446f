/**
 * A message on its way out that does not simply gather behind others: where its bytes lie, and how the transport gets
 * them. There are three ways: copied piece by piece, lent where they lie, and in a pooled buffer of the transport's.
 */
import { types } from 'node:util'
import { HOST_MEMORY, type PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { giveAway, headroomOf, setHeadroom } from '../buffer-pool/buffer-slot.js'
import { NettsError } from '../errors.js'
import type { Transport } from '../transport.js'
import type { CoalescingChunk } from './coalescing-chunk.js'
import { HEADER_BYTES, writeHeader } from './framing.js'
import { LentMemory } from './lent-memory.js'

/** A message on its way out, and how far it got. */
export interface OutgoingMessage {
  /** Length of its payload in bytes. */
  readonly byteLength: number
  /** Bytes of it, its header included, that are not on their way yet. */
  readonly leftBytes: number
  /** Whether it has begun to leave: from then on it can't be taken back. */
  readonly hasBegun: boolean
  /**
   * Puts what comes before the uncopied part into the chunk, which has room for a header.
   * @throws NettsError `ERR_NETTS_BUFFER_DETACHED`
   */
  begin(chunk: CoalescingChunk): void
  /**
   * Offers the next part to the transport.
   * @returns how many bytes it took; 0 when it refused
   * @throws NettsError `ERR_NETTS_BUFFER_DETACHED`
   */
  sendPart(transport: Transport): number
  /** All of it was handed over, uncopied. */
  readonly isZeroCopy: boolean
  /**
   * Makes it independent of whoever called `send`: it waits, and a pooled buffer is used by nobody else any more.
   * @param isAccepted nobody waits for it, so its bytes must be its own
   */
  keep(isAccepted: boolean): void
  /** Gives back what it holds, if anything. Idempotent. */
  release(): void
  /**
   * All of it was handed over: calls back once its memory is its owner's again.
   * @returns false when it is so now, and there will be no call
   */
  onReturned(callback: () => void): boolean
}

/** Plain bytes, of which the beginning lies in the chunk behind the header. */
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

  /** Memory can go away while a send waits: transferred, or resized, or grown where WebAssembly does that. */
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

  /** @param buffer where the payload lies, if that is a pooled buffer: of memory that the transport can't send from */
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
    // What has left is not touched, and so costs nothing.
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

/** Bytes that leave from where the program has them: its own again once the transport has read them. */
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

/** A pooled buffer of the transport's: its header is in front of it, or in the chunk before. */
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
    // With room in front, the header goes there when it is sent.
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
 * Whether a transport can send a pooled buffer as it is: its memory is of the same kind, and it fits in one send.
 * Of another make of pool, a buffer may have another kind of headroom.
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

/** Whether plain bytes can leave from where they lie: not where the transport's memory is of another kind. */
export function canLend(payload: Uint8Array, { bufferPool }: Transport): boolean {
  return bufferPool.domain === HOST_MEMORY && types.isArrayBuffer(payload.buffer)
}
