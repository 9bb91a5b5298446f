/** The chunk in which small messages are gathered before they leave together. */
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import type { Transport } from '../transport.js'
import { HEADER_BYTES, writeHeader } from './framing.js'

/** The largest chunk. A larger one saves no measurable time and holds more memory. */
const MAX_CHUNK_BYTES = 65_536
/** The least that every transport takes in one send. Pools with smaller buffers are not used. */
const MIN_CHUNK_BYTES = 1024
/** The sizes that a chunk begins with and grows to: the two smaller sizes of the default pool. */
const STEPS_BYTES = [256 + 64, 4096 + 64]

/** Memory for full chunks when a pool has no buffer. The transport copies it, so that it is free again at once. */
const spare: Uint8Array[] = []
/** How many of them are kept: 512 KiB. */
const MAX_SPARE = 8

/**
 * One chunk at a time: it is filled with whole frames, and then handed to the transport. It lies in a buffer of the
 * transport's pool and leaves without another copy; if the pool has none, in memory of its own, which is copied.
 *
 * Its memory grows with its contents and is given up when it has left: an idle connection holds none. After a large chunk
 * the next one begins with the same size, so that a busy connection does not grow each of them.
 */
export class CoalescingChunk {
  /** The most bytes that it can hold. */
  readonly capacity: number
  readonly #transport: Transport
  #pooled: PooledBuffer | undefined
  #bytes: Uint8Array | undefined
  #filled = 0
  // How many bytes of its own memory the transport has taken already.
  #sent = 0
  #lastFilled = 0

  constructor(transport: Transport) {
    this.#transport = transport
    const pooledBytes = Math.max(transport.bufferPool.maxByteLength, MIN_CHUNK_BYTES)
    this.capacity = Math.min(transport.maxSendSize, pooledBytes, MAX_CHUNK_BYTES)
  }

  /** How many bytes wait to leave. */
  get byteLength(): number {
    return this.#filled - this.#sent
  }

  /** Whether not even an empty message fits any more. */
  get isFull(): boolean {
    return this.#filled + HEADER_BYTES > this.capacity
  }

  /** Whether `byteLength` more bytes fit. */
  hasRoom(byteLength: number): boolean {
    return this.#filled + byteLength <= this.capacity
  }

  /** Appends a header without its payload. Only if there is room for it. */
  appendHeader(payloadByteLength: number): void {
    const start = this.#filled
    writeHeader(this.#withRoom(start + HEADER_BYTES), start, payloadByteLength)
    this.#filled = start + HEADER_BYTES
  }

  /** Appends a whole message. @returns false when there is no room */
  append(payload: Uint8Array): boolean {
    const start = this.#filled
    const byteLength = payload.length
    const end = start + HEADER_BYTES + byteLength
    if (end > this.capacity) return false
    const bytes = this.#withRoom(end)
    writeHeader(bytes, start, byteLength)
    bytes.set(payload, start + HEADER_BYTES)
    this.#filled = end
    return true
  }

  /** Appends the beginning of a payload, as much as there is room for. @returns how many bytes that was */
  appendPart(payload: Uint8Array): number {
    const byteLength = Math.min(payload.length, this.capacity - this.#filled)
    if (byteLength === 0) return 0
    const bytes = this.#withRoom(this.#filled + byteLength)
    bytes.set(byteLength === payload.length ? payload : payload.subarray(0, byteLength), this.#filled)
    this.#filled += byteLength
    return byteLength
  }

  /**
   * Hands the chunk to the transport.
   * @returns how many bytes the transport took by one send; 0 when it refused
   */
  post(): number {
    const filled = this.#filled
    if (this.#pooled !== undefined) {
      if (!this.#transport.sendBuffer(this.#pooled, 0, filled)) return 0
      this.#forget()
      return filled
    }
    const taken = this.#transport.sendCopy(this.#bytes!.subarray(this.#sent, filled))
    this.#sent += taken
    if (this.#sent === filled) {
      if (this.#bytes!.length === MAX_CHUNK_BYTES && spare.length < MAX_SPARE) spare.push(this.#bytes!)
      // The next chunk tries the pool again.
      this.#forget()
    }
    return taken
  }

  /** Drops the bytes that have not left. */
  discard(): void {
    this.#pooled?.release()
    this.#forget()
  }

  #forget(): void {
    this.#lastFilled = this.#filled
    this.#pooled = this.#bytes = undefined
    this.#filled = this.#sent = 0
  }

  /** Memory for `byteLength` bytes in total; the bytes so far are in it. */
  #withRoom(byteLength: number): Uint8Array {
    const bytes = this.#bytes
    if (bytes !== undefined && byteLength <= bytes.length) return bytes
    return this.#grow(byteLength)
  }

  #grow(byteLength: number): Uint8Array {
    const old = this.#bytes
    const oldPooled = this.#pooled
    const wanted = old === undefined ? Math.max(byteLength, this.#lastFilled) : byteLength
    const size = Math.min(this.capacity, STEPS_BYTES.find((step) => step >= wanted) ?? this.capacity)
    // Own memory is not replaced by a pooled buffer before it has left, since part of it may be sent already.
    const pooled = old === undefined || oldPooled !== undefined ? this.#tryAlloc(size) : undefined
    const bytes = pooled?.bytes ?? ownMemory(size)
    if (old !== undefined) bytes.set(old.subarray(0, this.#filled))
    oldPooled?.release()
    this.#pooled = pooled
    this.#bytes = bytes
    return bytes
  }

  /** A pool that is closed, or whose `allocateSlab` throws, counts as exhausted: messages do not need it. */
  #tryAlloc(byteLength: number): PooledBuffer | undefined {
    try {
      return this.#transport.bufferPool.tryAlloc(byteLength)
    } catch {
      return undefined
    }
  }
}

function ownMemory(byteLength: number): Uint8Array {
  return (byteLength === MAX_CHUNK_BYTES ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(byteLength)
}
