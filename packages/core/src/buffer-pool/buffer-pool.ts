/** Buffer pools: the contract. */

/** A buffer from a {@link BufferPool}, with explicit ownership: whoever holds it releases it, once. */
export interface PooledBuffer extends Disposable {
  /**
   * The bytes, as many as were asked for. Not cleared: it may hold what an earlier user left.
   * @throws NettsError `ERR_NETTS_BUFFER_RELEASED` after its release.
   */
  readonly bytes: Uint8Array
  /** How many bytes were asked for. */
  readonly byteLength: number
  /** The pool it came from. */
  readonly pool: BufferPool
  /**
   * Returns it to its pool. The view in {@link bytes} must not be used again.
   * @throws NettsError `ERR_NETTS_BUFFER_RELEASED` when it was released, or handed to a transport, before. Disposing
   *   does nothing then, so that `using` is right whatever became of the buffer.
   */
  release(): void
}

/** Counters of a {@link BufferPool}, read at one moment. */
export interface BufferPoolStats {
  /** Bytes of slab memory mapped. */
  readonly slabBytes: number
  /** Buffers handed out and not returned yet. */
  readonly outstanding: number
  /** The most that were ever outstanding. */
  readonly outstandingPeak: number
  /** Successful allocations ever. */
  readonly allocations: number
  /** Allocations that a larger class had to serve, because the smallest fitting one was empty. */
  readonly spills: number
  /** Allocations refused, because no class that fits had a free buffer. */
  readonly exhaustions: number
  /** Callers waiting in {@link BufferPool.allocAsync}. */
  readonly waiting: number
  /** Buffers that were garbage-collected without a release; counted with `detectLeaks` only. */
  readonly leaked: number
}

/** A pool of fixed-size buffers in a few large page-aligned slabs. */
export interface BufferPool {
  /**
   * Identifies the memory: a transport sends only from buffers whose pool has the same domain as its own.
   * Plain memory has {@link HOST_MEMORY}; registered memory has one for each device and environment.
   */
  readonly domain: symbol
  /** The largest buffer it can ever give, in bytes. */
  readonly maxByteLength: number
  /**
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when nothing that fits is free now;
   *   `ERR_NETTS_INVALID_ARGUMENT` when `byteLength` is not a positive integer up to {@link maxByteLength};
   *   `ERR_NETTS_CLOSED` once the pool is closed; and whatever the source of its slabs threw.
   */
  alloc(byteLength: number): PooledBuffer
  /** Like {@link alloc}, with `undefined` instead of exhaustion. Still throws for a bad argument. */
  tryAlloc(byteLength: number): PooledBuffer | undefined
  /**
   * Waits for a buffer: one that is returned goes to whoever has waited longest among those whom it fits, before
   * any later `alloc` or `tryAlloc`.
   * Rejects with `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_ABORTED`, `ERR_NETTS_CLOSED` when the pool closes, and
   * whatever the source of its slabs threw, unless that was exhaustion and buffers are outstanding that may return.
   */
  allocAsync(byteLength: number, options?: { signal?: AbortSignal | undefined }): Promise<PooledBuffer>
  readonly stats: BufferPoolStats
}

/** A buffer that is handed out, as seen with `detectLeaks`. */
export interface OutstandingBuffer {
  /** How many bytes were asked for. */
  readonly byteLength: number
  /** Where it was allocated: the lines of a stack trace. */
  readonly stack: string
}

/** A {@link BufferPool} as its maker holds it. */
export interface OwnedBufferPool extends BufferPool {
  /**
   * Ends allocating: waiting and later calls get `ERR_NETTS_CLOSED`. Buffers that are handed out stay valid
   * until their release; when the last one is back, the slabs are given up. Idempotent.
   */
  close(): void
  /**
   * Buffers handed out, or held by a transport, and where each was allocated.
   * @throws NettsError `ERR_NETTS_INVALID_STATE` without `detectLeaks`.
   */
  outstandingBuffers(): OutstandingBuffer[]
}

/** The {@link BufferPool.domain} of plain memory. */
export const HOST_MEMORY: symbol = Symbol.for('@netts/core/host-memory')
