/**
 * A transport's share of a pool: all transports use the same buffers, and when these are used up, each has a few of its own.
 * So connections whose peers do not read cannot starve another one.
 */
import type { BufferPool, BufferPoolStats, PooledBuffer } from './buffer-pool.js'
import type { Reserve } from './slab-allocator.js'

/** The key of the method by which drivers of every copy of this package get a share. */
export const shareSymbol: unique symbol = Symbol.for('@netts/core/share') as never

/** A pool that can reserve buffers for a caller. */
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

/** How many buffers each transport has of its own: one that is filled, one that is being sent, and two for the program. */
const RESERVED_BUFFERS = 4

/**
 * Returns a view of `pool` for one transport: with a reserve of 4 buffers of up to `maxByteLength` bytes that no other
 * transport can take. They are allocated when they are needed, in addition to the pool's size classes.
 *
 * @returns the share; `pool` itself if it is not of this package
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
