/** What a transport received and hands out, each in memory that goes round. */
import { giveBlock } from './blocks.js'

/** Received bytes; the memory they lie in is given back by whoever holds them. */
export interface Chunk {
  readonly bytes: Buffer
  /** Once, when nothing refers to the bytes any more. */
  free(): void
}

/** Up to this, a read is copied into memory that is used again; a larger one into memory of its own. */
export const SMALL_BYTES = 512

/** How many free ones are kept for later: half a MiB. */
const MAX_FREE = 1024

const freeChunks: SmallChunk[] = []

/** As messages of one size follow one another, so do reads: then nothing is allocated for the next one. */
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

/** Bytes that are left to the garbage collector. */
export class LooseChunk implements Chunk {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  free(): void {}
}
