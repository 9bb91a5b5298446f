/**
 * Registered memory: the transports' own buffers, headers, and the pool that programs send from. The transports over
 * one device share it, so that a connection that needs more takes what another gave back.
 */
import { DEFAULT_SIZE_CLASSES, type OwnedBufferPool, type SizeClass } from '@netts/core'
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import type { DeviceEnvironment } from '../endpoint/device-environment.js'
import type { SlabNeed } from '../endpoint/spare-slabs.js'
import { AccessFlag } from '../verbs/layout.js'

/** Bytes of a slab of the transports' own buffers: small, since one idle connection needs no more. */
const SLAB_BYTES = 256 * 1024
const HEADER_SLAB_BYTES = 4096
/** Pools place each buffer of a slab at a multiple of this. */
const CACHE_LINE_BYTES = 64
const PAGE_BYTES = 4096
/** No bound in practice: RLIMIT_MEMLOCK is reached before. */
const MOST_BUFFERS = 2 ** 24
/** Beside the default sizes, one for a frame of the default size, which is what a `Connection` fills. */
const PROGRAM_CLASSES: readonly SizeClass[] = [...DEFAULT_SIZE_CLASSES, { byteLength: 16_384, count: 1024 }]

/** A buffer of a transport's own, in registered memory. Whoever took it gives it back once. */
export class RegisteredBuffer {
  /** The slab that it lies in. */
  readonly slab: Uint8Array
  /** Where in {@link slab} it begins, in bytes; the same offset holds in the region. */
  readonly byteOffset: number
  /** The id of the region that is the slab, for work requests. */
  readonly regionId: number
  readonly #slot: BufferSlot

  /**
   * @param slot of a pool of a {@link DeviceEnvironment}, which now belongs to this
   * @param regionId of the slot's slab
   */
  constructor(slot: BufferSlot, regionId: number) {
    this.slab = slot.slab
    this.byteOffset = slot.byteOffset
    this.regionId = regionId
    this.#slot = slot
  }

  /** Gives it back to its pool. Buffers of {@link TransportMemory.takeBuffer} go to `putBack` instead. */
  free(): void {
    this.#slot.free()
  }
}

/** The memory of the transports over one device whose buffers have one size. */
export class TransportMemory {
  /** The device that it is registered with. */
  readonly environment: DeviceEnvironment
  /** The pool that programs allocate from to send without a copy. It is closed with this. */
  readonly programPool: OwnedBufferPool
  /** Bytes of each buffer of {@link takeBuffer}. */
  readonly bufferSize: number
  readonly #buffers: OwnedBufferPool
  readonly #headerPools = new Map<number, OwnedBufferPool>()
  #users = 0
  /** Buffers that are in use. */
  #taken = 0
  /** Buffers for which there are slabs: slabs are kept as long as this is. */
  #mapped = 0

  /**
   * The slabs that have to be registered for a connection that takes `buffers` buffers at first, for
   * `RdmaDriver.slabs`.
   */
  static slabsFor(environment: DeviceEnvironment, bufferSize: number, buffers: number): SlabNeed[] {
    const stride = roundUp(bufferSize, CACHE_LINE_BYTES)
    const perSlab = buffersPerSlab(bufferSize)
    const memory = memories.get(environment)?.get(bufferSize)
    const missing = buffers - (memory ? memory.#mapped - memory.#taken : 0)
    const byteLength = roundUp(perSlab * stride, PAGE_BYTES)
    const access = AccessFlag.localWrite
    return Array.from({ length: Math.max(0, Math.ceil(missing / perSlab)) }, () => ({ byteLength, access }))
  }

  /** The memory for a device and size, the same for all users. Give each one back with {@link release}. */
  static acquire(environment: DeviceEnvironment, bufferSize: number): TransportMemory {
    let sizes = memories.get(environment)
    if (!sizes) {
      sizes = new Map()
      memories.set(environment, sizes)
    }
    let memory = sizes.get(bufferSize)
    if (!memory) {
      memory = new TransportMemory(environment, bufferSize)
      sizes.set(bufferSize, memory)
    }
    memory.#users++
    return memory
  }

  private constructor(environment: DeviceEnvironment, bufferSize: number) {
    this.environment = environment
    this.bufferSize = bufferSize
    this.programPool = environment.createBufferPool({ classes: PROGRAM_CLASSES })
    this.#buffers = environment.createBufferPool({
      classes: [{ byteLength: bufferSize, count: MOST_BUFFERS }],
      slabByteLength: SLAB_BYTES,
    })
  }

  /**
   * Undoes one {@link acquire}. The last one closes the pools; buffers that programs hold stay valid until released.
   */
  release(): void {
    if (--this.#users > 0) return
    memories.get(this.environment)?.delete(this.bufferSize)
    this.programPool.close()
    this.#buffers.close()
    for (const pool of this.#headerPools.values()) pool.close()
  }

  /** Takes one buffer. @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when no more memory can be pinned */
  takeBuffer(): RegisteredBuffer {
    const buffer = this.#take(this.#buffers, this.bufferSize)
    if (++this.#taken > this.#mapped) this.#mapped += buffersPerSlab(this.bufferSize)
    return buffer
  }

  /** Gives back a buffer that {@link takeBuffer} returned. */
  putBack(buffer: RegisteredBuffer): void {
    this.#taken--
    buffer.free()
  }

  /**
   * Takes memory for headers, `byteLength` bytes; its `free()` gives it back.
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when no more memory can be pinned
   */
  takeHeaders(byteLength: number): RegisteredBuffer {
    let pool = this.#headerPools.get(byteLength)
    if (!pool) {
      pool = this.environment.createBufferPool({
        classes: [{ byteLength, count: MOST_BUFFERS }],
        slabByteLength: HEADER_SLAB_BYTES,
      })
      this.#headerPools.set(byteLength, pool)
    }
    return this.#take(pool, byteLength)
  }

  #take(pool: OwnedBufferPool, byteLength: number): RegisteredBuffer {
    const slot = takeSlot(pool.alloc(byteLength))
    return new RegisteredBuffer(slot, this.environment.regionOf(slot.slab).id)
  }
}

function buffersPerSlab(bufferSize: number): number {
  return Math.max(1, Math.floor(SLAB_BYTES / roundUp(bufferSize, CACHE_LINE_BYTES)))
}

function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit
}

const memories = new WeakMap<DeviceEnvironment, Map<number, TransportMemory>>()
