/** Memory of the application from which a large message is sent without a copy, until nothing reads it any more. */
import type { BufferPool, PooledBuffer } from '../buffer-pool/buffer-pool.js'
import { type BufferSlot, headroomSymbol, takeSlotSymbol } from '../buffer-pool/buffer-slot.js'

/** A payload that the application lent. Transports of host memory get it in pieces, as if they were buffers of their pool. */
export class LentMemory {
  readonly #payload: Uint8Array
  #piecesOut = 0
  #onReturned: (() => void) | undefined

  constructor(payload: Uint8Array) {
    // A Uint8Array, as slabs are: `slice` of a Buffer does not copy.
    this.#payload = new Uint8Array(payload.buffer, payload.byteOffset, payload.length)
  }

  /**
   * Call it once, when no more pieces will be sent. Calls back when the transport has none of them any more.
   * @returns `false` when it has none now; then there is no call
   */
  onReturned(callback: () => void): boolean {
    if (this.#piecesOut === 0) return false
    this.#onReturned = callback
    return true
  }

  /** Part of the payload as a buffer to send. It counts as long as a transport has it. */
  piece(pool: BufferPool, byteOffset: number, byteLength: number): PooledBuffer {
    return new LentPiece(this, pool, this.#payload, byteOffset, byteLength)
  }

  /** For its pieces: a transport took one. */
  onTaken(): void {
    this.#piecesOut++
  }

  /** For its pieces: a transport gave one back. */
  onFreed(): void {
    if (--this.#piecesOut === 0) this.#onReturned?.()
  }
}

/** A piece. It is its own slot, because only the transport ever holds it. */
class LentPiece implements PooledBuffer, BufferSlot {
  readonly slab: Uint8Array
  /** It is in none of the pool's slabs. */
  readonly slabIndex = -1
  readonly byteOffset: number
  readonly byteLength: number
  readonly pool: BufferPool
  readonly #lent: LentMemory

  constructor(lent: LentMemory, pool: BufferPool, slab: Uint8Array, byteOffset: number, byteLength: number) {
    this.#lent = lent
    this.pool = pool
    this.slab = slab
    this.byteOffset = byteOffset
    this.byteLength = byteLength
  }

  get bytes(): Uint8Array {
    return this.slab.subarray(this.byteOffset, this.byteOffset + this.byteLength)
  }

  /** A piece that no transport took holds nothing. */
  release(): void {}

  [Symbol.dispose](): void {}

  [headroomSymbol](): number {
    return 0
  }

  [takeSlotSymbol](): BufferSlot {
    this.#lent.onTaken()
    return this
  }

  free(): void {
    this.#lent.onFreed()
  }
}
