/** The interface of buffer pools. */

/** A buffer from a {@link BufferPool}. Its owner releases it once, or gives it away by sending it. */
export interface PooledBuffer extends Disposable {
  /**
   * The bytes; {@link byteLength} of them. They are not cleared, and may hold data of an earlier user.
   * @throws NettsError `ERR_NETTS_BUFFER_RELEASED` after its release.
   */
  readonly bytes: Uint8Array
  /** How many bytes were asked for. */
  readonly byteLength: number
  /** The pool it came from. */
  readonly pool: BufferPool
  /**
   * Returns it to its pool. The view in {@link bytes} must not be used again.
   * @throws NettsError `ERR_NETTS_BUFFER_RELEASED` when it was released or sent before. `[Symbol.dispose]` does nothing
   *   then, so that `using` is correct also for a buffer that is sent.
   */
  release(): void
}

/** A snapshot of the counters of a {@link BufferPool}. */
export interface BufferPoolStats {
  /** How many bytes of slabs are allocated. */
  readonly slabBytes: number
  /** Buffers handed out and not returned yet. */
  readonly outstanding: number
  /** The largest number of buffers that were outstanding at one moment. */
  readonly outstandingPeak: number
  /** Successful allocations since the pool was made. */
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
   * Identifies the kind of memory. {@link Transport.sendBuffer} takes only buffers of a pool with the same domain as that of
   * the transport's own pool. Host memory has {@link HOST_MEMORY}; memory registered with an RDMA device has one domain for
   * each device and environment (worker thread).
   */
  readonly domain: symbol
  /** The largest buffer that it can allocate, in bytes. */
  readonly maxByteLength: number
  /**
   * Allocates a buffer. The caller owns it.
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when no buffer that fits is free now;
   *   `ERR_NETTS_INVALID_ARGUMENT` when `byteLength` is not a positive integer up to {@link maxByteLength};
   *   `ERR_NETTS_CLOSED` once the pool is closed; or the error that `allocateSlab` threw.
   */
  alloc(byteLength: number): PooledBuffer
  /** Like {@link alloc}, but returns `undefined` when no buffer that fits is free. Throws for wrong arguments. */
  tryAlloc(byteLength: number): PooledBuffer | undefined
  /**
   * Waits for a buffer. A returned buffer goes to the call that has waited longest and that it fits, before any later
   * `alloc` or `tryAlloc`.
   * Rejects with `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_ABORTED`, `ERR_NETTS_CLOSED` when the pool closes, or the error
   * that `allocateSlab` threw. (It waits if that error is `ERR_NETTS_POOL_EXHAUSTED` and buffers are outstanding.)
   */
  allocAsync(byteLength: number, options?: { signal?: AbortSignal | undefined }): Promise<PooledBuffer>
  /** Counters, read at this moment. */
  readonly stats: BufferPoolStats
}

/** A buffer that is handed out, as `detectLeaks` records it. */
export interface OutstandingBuffer {
  /** How many bytes were asked for. */
  readonly byteLength: number
  /** Where it was allocated: the lines of a stack trace. */
  readonly stack: string
}

/** A {@link BufferPool} for the program that made it, which may also close it. */
export interface OwnedBufferPool extends BufferPool {
  /**
   * Ends allocation: waiting and later calls fail with `ERR_NETTS_CLOSED`. Buffers that are handed out stay valid until
   * their release. The slabs are freed when the last buffer is returned. Idempotent.
   */
  close(): void
  /**
   * Lists the buffers that are handed out or held by a transport, with the place where each was allocated.
   * @throws NettsError `ERR_NETTS_INVALID_STATE` without `detectLeaks`.
   */
  outstandingBuffers(): OutstandingBuffer[]
}

/** The {@link BufferPool.domain} of ordinary memory, which is not registered with a device. */
export const HOST_MEMORY: symbol = Symbol.for('@netts/core/host-memory')
