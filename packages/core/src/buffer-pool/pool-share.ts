/**
 * A transport's share of a pool: it takes what everybody takes, and when that is used up, it has a few buffers of its
 * own. So one connection whose peer does not read, or a hundred, can't starve another one.
 */
import type { BufferPool, BufferPoolStats, PooledBuffer } from './buffer-pool.js'
import type { Reserve } from './slab-allocator.js'

/** The brand through which drivers of any copy of this package get a share. */
export const shareSymbol: unique symbol = Symbol.for('@netts/core/share') as never

/** A pool that can hold something back for somebody. */
export interface ShareablePool extends BufferPool {
  alloc(byteLength: number, reserve?: Reserve): PooledBuffer
  tryAlloc(byteLength: number, reserve?: Reserve): PooledBuffer | undefined
  allocAsync(
    byteLength: number,
    options?: { signal?: AbortSignal | undefined },
    reserve?: Reserve,
  ): Promise<PooledBuffer>
  [shareSymbol](reserve: Reserve): BufferPool
}

/** How many buffers each transport has of its own: one that gathers, one on its way, and two of the program's. */
const RESERVED_BUFFERS = 4

/**
 * A pool for one transport: `pool` with a reserve of 4 buffers of up to `maxByteLength` bytes, which nobody else can
 * take. They are mapped when they are needed, beyond what the pool's size classes allow.
 *
 * @returns the share; for a pool of another make, the pool itself
 */
export function sharePool(pool: BufferPool, maxByteLength: number): BufferPool {
  const share = (pool as Partial<ShareablePool>)[shareSymbol]
  return typeof share === 'function' ? share.call(pool, { left: RESERVED_BUFFERS, maxByteLength }) : pool
}

/** See {@link sharePool}. */
export class PoolShare implements BufferPool {
  readonly #pool: ShareablePool
  readonly #reserve: Reserve

  constructor(pool: ShareablePool, reserve: Reserve) {
    this.#pool = pool
    this.#reserve = reserve
  }

  get domain(): symbol {
    return this.#pool.domain
  }

  get maxByteLength(): number {
    return this.#pool.maxByteLength
  }

  get stats(): BufferPoolStats {
    return this.#pool.stats
  }

  alloc(byteLength: number): PooledBuffer {
    return this.#pool.alloc(byteLength, this.#reserve)
  }

  tryAlloc(byteLength: number): PooledBuffer | undefined {
    return this.#pool.tryAlloc(byteLength, this.#reserve)
  }

  allocAsync(byteLength: number, options?: { signal?: AbortSignal | undefined }): Promise<PooledBuffer> {
    return this.#pool.allocAsync(byteLength, options, this.#reserve)
  }
}
