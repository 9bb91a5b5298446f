/** Received chunks, in memory that is reused. */
import { giveBlock } from './blocks.js'

/** Received bytes. The holder frees them. */
export interface Chunk {
  readonly bytes: Buffer
  /** Gives the memory back. Call it once, when nothing refers to the bytes any more. */
  free(): void
}

/** A read of up to this size is copied into memory that is reused; a larger one into memory of its own. */
export const SMALL_BYTES = 512

/** How many free small chunks are kept: 512 KiB. */
const MAX_FREE = 1024

const freeChunks: SmallChunk[] = []

/** A small chunk. Consecutive reads of the same length allocate nothing. */
class SmallChunk implements Chunk {
  readonly #memory = Buffer.allocUnsafe(SMALL_BYTES)
  bytes = this.#memory

  fill(source: Buffer): void {
    const { byteLength } = source
    if (this.bytes.byteLength !== byteLength) this.bytes = this.#memory.subarray(0, byteLength)
    this.bytes.set(source)
  }

  free(): void {
    if (freeChunks.length < MAX_FREE) freeChunks.push(this)
  }
}

/** A copy of up to {@link SMALL_BYTES}. */
export function copySmall(source: Buffer): Chunk {
  const chunk = freeChunks.pop() ?? new SmallChunk()
  chunk.fill(source)
  return chunk
}

/** Bytes in a block. */
export class BlockChunk implements Chunk {
  readonly bytes: Buffer
  readonly #block: Buffer

  constructor(block: Buffer, byteLength: number) {
    this.bytes = block.subarray(0, byteLength)
    this.#block = block
  }

  free(): void {
    giveBlock(this.#block)
  }
}

/** Bytes in memory of their own, which is left to the garbage collector. */
export class LooseChunk implements Chunk {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  free(): void {}
}
