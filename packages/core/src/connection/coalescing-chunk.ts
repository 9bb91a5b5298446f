/** The chunk in which small messages gather before they leave together. */
import type { PooledBuffer } from '../buffer-pool/buffer-pool.js'
import type { Transport } from '../transport.js'
import { HEADER_BYTES, writeHeader } from './framing.js'

/** Beyond this, a larger chunk saves nothing measurable and only holds memory. */
const MAX_CHUNK_BYTES = 65_536
/** The least that a transport takes in one send; a pool whose buffers are smaller is of no use here. */
const MIN_CHUNK_BYTES = 1024

/**
 * One chunk at a time: filled with whole frames, then handed to the transport. It lies in a buffer of the
 * transport's pool and leaves without another copy; when the pool has none to give, in memory of its own, and is copied.
 * While empty it holds no buffer of the pool.
 */
export class CoalescingChunk {
  readonly capacity: number
  readonly #transport: Transport
  #pooled: PooledBuffer | undefined
  #bytes: Uint8Array | undefined
  #own: Uint8Array | undefined
  #filled = 0
  // How much of own memory the transport has taken already.
  #sent = 0

  constructor(transport: Transport) {
    this.#transport = transport
    const pooledBytes = Math.max(transport.bufferPool.maxByteLength, MIN_CHUNK_BYTES)
    this.capacity = Math.min(transport.maxSendSize, pooledBytes, MAX_CHUNK_BYTES)
  }

  /** Bytes that wait to leave. */
  get byteLength(): number {
    return this.#filled - this.#sent
  }

  /** Whether not even an empty message fits any more. */
  get isFull(): boolean {
    return this.#filled + HEADER_BYTES > this.capacity
  }

  /** Appends a header alone. @returns false when there is no room */
  appendHeader(payloadByteLength: number): boolean {
    const filled = this.#filled
    if (filled + HEADER_BYTES > this.capacity) return false
    writeHeader(this.#bytes ?? this.#open(), filled, payloadByteLength)
    this.#filled = filled + HEADER_BYTES
    return true
  }

  /** Appends a whole message. @returns false when there is no room */
  append(payload: Uint8Array): boolean {
    const start = this.#filled
    const byteLength = payload.byteLength
    const end = start + HEADER_BYTES + byteLength
    if (end > this.capacity) return false
    const bytes = this.#bytes ?? this.#open()
    writeHeader(bytes, start, byteLength)
    bytes.set(payload, start + HEADER_BYTES)
    this.#filled = end
    return true
  }

  /** Appends a payload from `start` on, as far as there is room. @returns how many bytes that was */
  appendPart(payload: Uint8Array, start: number): number {
    const byteLength = Math.min(payload.byteLength - start, this.capacity - this.#filled)
    if (byteLength === 0) return 0
    const bytes = this.#bytes ?? this.#open()
    bytes.set(payload.subarray(start, start + byteLength), this.#filled)
    this.#filled += byteLength
    return byteLength
  }

  /**
   * Hands the chunk to the transport.
   * @returns how many bytes the transport took by one send; 0 when it refused
   */
  post(): number {
    const filled = this.#filled
    const pooled = this.#pooled
    if (pooled !== undefined) {
      if (!this.#transport.sendBuffer(pooled, 0, filled)) return 0
      this.#pooled = this.#bytes = undefined
      this.#filled = 0
      return filled
    }
    const taken = this.#transport.sendCopy(this.#bytes!.subarray(this.#sent, filled))
    this.#sent += taken
    if (this.#sent === filled) {
      // The next chunk tries the pool again.
      this.#bytes = undefined
      this.#filled = this.#sent = 0
    }
    return taken
  }

  /** Drops what has not left. */
  discard(): void {
    this.#pooled?.release()
    this.#pooled = this.#bytes = this.#own = undefined
    this.#filled = this.#sent = 0
  }

  #open(): Uint8Array {
    this.#pooled = this.#tryAlloc()
    if (!this.#pooled) this.#own ??= new Uint8Array(this.capacity)
    const bytes = this.#pooled?.bytes ?? this.#own!
    this.#bytes = bytes
    return bytes
  }

  /** A pool that is closed, or whose source of slabs fails, is as good as exhausted: messages need it no more. */
  #tryAlloc(): PooledBuffer | undefined {
    try {
      return this.#transport.bufferPool.tryAlloc(this.capacity)
    } catch {
      return undefined
    }
  }
}
