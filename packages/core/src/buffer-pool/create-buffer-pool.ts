/** The implementation of a buffer pool, over slabs of host memory or registered memory. */
import { checkBoolean, checkInteger, checkObject, checkSignal } from '../driver/options.js'
import { WaitQueue } from '../driver/wait-queue.js'
import { invalidArgument, NettsError, threw } from '../errors.js'
import {
  type BufferPoolStats,
  HOST_MEMORY,
  type OutstandingBuffer,
  type OwnedBufferPool,
} from './buffer-pool.js'
import { LeakDetector } from './leak-detector.js'
import { PoolShare, type ShareablePool, shareSymbol } from './pool-share.js'
import { SlotHandle } from './pooled-buffer.js'
import {
  PAGE_BYTES,
  type Reserve,
  type SizeClass,
  SlabAllocator,
  type Slot,
  type SlotOwner,
} from './slab-allocator.js'

/** Options of {@link createBufferPool}. */
export interface BufferPoolOptions {
  /** The sizes of buffers, and how many of each. @default {@link DEFAULT_SIZE_CLASSES} */
  readonly classes?: readonly SizeClass[] | undefined
  /**
   * The approximate size of a slab, in bytes. Slabs are allocated when first needed. Their size is a multiple of 4096
   * that holds at least one buffer. @default 1 MiB
   */
  readonly slabByteLength?: number | undefined
  /**
   * Allocates a slab. It is called with a multiple of 4096, and must return at least that many bytes, not in a
   * SharedArrayBuffer, and page-aligned if the device needs that. What it throws, `alloc` throws.
   * @default host memory
   */
  readonly allocateSlab?: ((byteLength: number) => Uint8Array) | undefined
  /**
   * Called when few buffers of a size are free, with the length of the slab that {@link allocateSlab} will be called with.
   * Use it to prepare a slab if allocating one takes long. It may be called several times for one slab, and for a slab
   * that is never needed. @default no call
   */
  readonly prepareSlab?: ((byteLength: number) => void) | undefined
  /** Called with every slab when the pool is closed and its last buffer was returned. @default no call */
  readonly freeSlab?: ((slab: Uint8Array) => void) | undefined
  /** Identifies the memory, see {@link BufferPool.domain}. @default {@link HOST_MEMORY} */
  readonly domain?: symbol | undefined
  /**
   * Records where each buffer is allocated. A buffer that is garbage-collected without a release causes a process
   * warning `NettsBufferLeak` and a message on the diagnostics channel `netts:buffer-pool:leak`.
   * Each allocation then costs a stack trace: use it in tests and to find a leak. @default false
   */
  readonly detectLeaks?: boolean | undefined
}

/**
 * The default sizes: a power of two with room for a header. The pool takes up to 37 MiB when all buffers are in use.
 */
export const DEFAULT_SIZE_CLASSES: readonly SizeClass[] = Object.freeze([
  { byteLength: 256 + 64, count: 4096 },
  { byteLength: 4096 + 64, count: 1024 },
  { byteLength: 65_536 + 64, count: 256 },
  { byteLength: 1_048_576 + 64, count: 16 },
])

const DEFAULT_SLAB_BYTES = 1 << 20
const MAX_SLAB_BYTES = 2 ** 32

interface WaitingAllocation {
  readonly byteLength: number
  /** The stack of the call, with leak detection. */
  readonly stack: string | undefined
  /** The reserve of the caller. */
  readonly reserve: Reserve | undefined
}

class SlabBufferPool implements OwnedBufferPool, ShareablePool, SlotOwner {
  readonly domain: symbol
  readonly maxByteLength: number
  readonly leakDetector: LeakDetector | undefined
  readonly #slabs: SlabAllocator
  readonly #freeSlab: ((slab: Uint8Array) => void) | undefined
  readonly #waiting = new WaitQueue<SlotHandle, WaitingAllocation>('allocAsync')
  #isClosed = false
  #outstanding = 0
  #outstandingPeak = 0
  #allocations = 0
  #exhaustions = 0

  constructor(options: BufferPoolOptions) {
    const {
      classes = DEFAULT_SIZE_CLASSES,
      slabByteLength = DEFAULT_SLAB_BYTES,
      allocateSlab = (byteLength: number) => new Uint8Array(byteLength),
      prepareSlab = () => {},
      freeSlab,
      domain = HOST_MEMORY,
      detectLeaks = false,
    } = options
    checkInteger('slabByteLength', slabByteLength, PAGE_BYTES, MAX_SLAB_BYTES)
    if (typeof domain !== 'symbol') throw invalidArgument('domain must be a symbol')
    if (typeof allocateSlab !== 'function') throw invalidArgument('allocateSlab must be a function')
    if (typeof prepareSlab !== 'function') throw invalidArgument('prepareSlab must be a function')
    if (freeSlab !== undefined && typeof freeSlab !== 'function') {
      throw invalidArgument('freeSlab must be a function')
    }
    this.#slabs = new SlabAllocator(classes, slabByteLength, { allocateSlab, prepareSlab }, this)
    this.#freeSlab = freeSlab
    this.domain = domain
    this.maxByteLength = this.#slabs.maxByteLength
    this.leakDetector = checkBoolean('detectLeaks', detectLeaks) ? new LeakDetector() : undefined
  }

  get pool(): this {
    return this
  }

  /** Through `sharePool`. */
  [shareSymbol](reserve: Reserve): PoolShare {
    return new PoolShare(this, reserve)
  }

  alloc(byteLength: number, reserve?: Reserve): SlotHandle {
    const buffer = this.#take(byteLength, this.leakDetector?.trace(this.alloc), reserve)
    if (buffer === undefined) {
      this.#exhaustions++
      throw new NettsError(
        'ERR_NETTS_POOL_EXHAUSTED',
        `no buffer of at least ${byteLength} bytes is free; release some, wait with allocAsync, or make the pool larger`,
        { operation: 'alloc' },
      )
    }
    return buffer
  }

  tryAlloc(byteLength: number, reserve?: Reserve): SlotHandle | undefined {
    const buffer = this.#tryTake(byteLength, this.leakDetector?.trace(this.tryAlloc), reserve)
    if (buffer === undefined) this.#exhaustions++
    return buffer
  }

  async allocAsync(
    byteLength: number,
    options: { signal?: AbortSignal | undefined } = {},
    reserve?: Reserve,
  ): Promise<SlotHandle> {
    const signal = checkSignal(checkObject('options', options).signal)
    const stack = this.leakDetector?.trace(this.allocAsync)
    if (!signal?.aborted) {
      // With nothing outstanding there is nothing to wait for: then the error of `allocateSlab` is the reason.
      const buffer =
        this.#outstanding > 0
          ? this.#tryTake(byteLength, stack, reserve)
          : this.#take(byteLength, stack, reserve)
      if (buffer !== undefined) return buffer
    }
    return this.#waiting.wait({ byteLength, stack, reserve }, signal)
  }

  get stats(): BufferPoolStats {
    return {
      slabBytes: this.#slabs.slabBytes,
      outstanding: this.#outstanding,
      outstandingPeak: this.#outstandingPeak,
      allocations: this.#allocations,
      spills: this.#slabs.spills,
      exhaustions: this.#exhaustions,
      waiting: this.#waiting.length,
      leaked: this.leakDetector?.leaked ?? 0,
    }
  }

  outstandingBuffers(): OutstandingBuffer[] {
    if (!this.leakDetector) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'the pool was made without detectLeaks', {
        operation: 'outstandingBuffers',
      })
    }
    return this.leakDetector.list()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#waiting.rejectAll(poolClosed('allocAsync'))
    this.#giveUpSlabs()
  }

  // Free slots have no waiters: a returned slot goes to the first waiter that it fits.
  onFree(slot: Slot): void {
    this.leakDetector?.onFree(slot)
    this.#outstanding--
    let waiter = this.#waiting.first
    while (waiter !== undefined && !canServe(slot, waiter.detail)) waiter = waiter.next
    if (waiter !== undefined) {
      const { byteLength, stack } = waiter.detail
      this.#slabs.passOn(slot, byteLength)
      waiter.resolve(this.#handOut(slot, byteLength, stack))
    } else {
      this.#slabs.give(slot)
      if (this.#isClosed) this.#giveUpSlabs()
    }
  }

  #take(byteLength: number, stack: string | undefined, reserve: Reserve | undefined): SlotHandle | undefined {
    if (!(byteLength >= 1 && byteLength <= this.maxByteLength && Number.isInteger(byteLength))) {
      checkInteger('byteLength', byteLength, 1, this.maxByteLength)
    }
    if (this.#isClosed) throw poolClosed('alloc')
    const slot = this.#slabs.take(byteLength, reserve)
    return slot && this.#handOut(slot, byteLength, stack)
  }

  /** An `allocateSlab` that throws `ERR_NETTS_POOL_EXHAUSTED` counts as an exhausted pool. */
  #tryTake(
    byteLength: number,
    stack: string | undefined,
    reserve: Reserve | undefined,
  ): SlotHandle | undefined {
    try {
      return this.#take(byteLength, stack, reserve)
    } catch (error) {
      if (error instanceof NettsError && error.code === 'ERR_NETTS_POOL_EXHAUSTED') return undefined
      throw error
    }
  }

  #handOut(slot: Slot, byteLength: number, stack: string | undefined): SlotHandle {
    const handle = new SlotHandle(slot, byteLength)
    this.#allocations++
    if (++this.#outstanding > this.#outstandingPeak) this.#outstandingPeak = this.#outstanding
    if (stack !== undefined) this.leakDetector!.onAllocate(handle, slot, stack)
    return handle
  }

  #giveUpSlabs(): void {
    if (this.#outstanding > 0) return
    for (const slab of this.#slabs.giveUp()) {
      try {
        this.#freeSlab?.(slab)
      } catch (error) {
        // The caller released the last buffer, and must not get an error about the slab.
        process.emitWarning(threw(error))
      }
    }
  }
}

/** Whether a returned slot may go to a waiting allocation. A slot of a reserve goes to its holder only. */
function canServe(slot: Slot, { byteLength, reserve }: WaitingAllocation): boolean {
  return byteLength <= slot.sizeClass.byteLength && (slot.reserve === undefined || slot.reserve === reserve)
}

/**
 * Makes a pool of fixed-size buffers in a few large slabs.
 *
 * A request gets a buffer of the smallest size that fits, or of a larger one if none of those is free. An allocation
 * takes 48 bytes of heap; its view is reused if the buffer's previous user asked for the same length.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for options out of range.
 */
export function createBufferPool(options: BufferPoolOptions = {}): OwnedBufferPool {
  return new SlabBufferPool(checkObject('options', options))
}

function poolClosed(operation: string): NettsError {
  return new NettsError('ERR_NETTS_CLOSED', 'the buffer pool is closed', { operation })
}
