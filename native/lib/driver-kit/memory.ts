/**
 * Registered memory: buffers of the transports themselves, headers, and the pool that programs send from. It is
 * shared by the transports over one device, so that a connection that grows takes what another gave back.
 */
import { DEFAULT_SIZE_CLASSES, type OwnedBufferPool, type SizeClass } from '@netts/core'
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import type { DeviceEnvironment } from '../endpoint/device-environment.js'
import type { SlabNeed } from '../endpoint/spare-slabs.js'
import { AccessFlag } from '../verbs/layout.js'

/** Slabs of transports' own buffers: small, since one idle connection needs no more. */
const SLAB_BYTES = 256 * 1024
const HEADER_SLAB_BYTES = 4096
/** As pools lay out their slabs. */
const CACHE_LINE_BYTES = 64
const PAGE_BYTES = 4096
/** Without a bound of its own: memlock bounds it. */
const MOST_BUFFERS = 2 ** 24
/** Beside the default sizes, one for a frame of the default size, which is what a `Connection` fills. */
const PROGRAM_CLASSES: readonly SizeClass[] = [...DEFAULT_SIZE_CLASSES, { byteLength: 16_384, count: 1024 }]

/** A buffer of a transport's own. */
export class RegisteredBuffer {
  /** The slab that it lies in, and where in it. */
  readonly slab: Uint8Array
  readonly byteOffset: number
  readonly regionId: number
  readonly #slot: BufferSlot

  constructor(slot: BufferSlot, regionId: number) {
    this.slab = slot.slab
    this.byteOffset = slot.byteOffset
    this.regionId = regionId
    this.#slot = slot
  }

  /** Gives it back. */
  free(): void {
    this.#slot.free()
  }
}

/** The memory of transports over one device, whose buffers have one size. */
export class TransportMemory {
  readonly environment: DeviceEnvironment
  readonly programPool: OwnedBufferPool
  readonly bufferSize: number
  readonly #buffers: OwnedBufferPool
  readonly #headerPools = new Map<number, OwnedBufferPool>()
  #users = 0
  /** Buffers that are in use, and that slabs hold: those are kept as long as this is. */
  #taken = 0
  #mapped = 0

  /** The slabs that have to be registered for a connection that takes so many buffers at first. */
  static slabsFor(environment: DeviceEnvironment, bufferSize: number, buffers: number): SlabNeed[] {
    const stride = roundUp(bufferSize, CACHE_LINE_BYTES)
    const perSlab = buffersPerSlab(bufferSize)
    const memory = memories.get(environment)?.get(bufferSize)
    const missing = buffers - (memory ? memory.#mapped - memory.#taken : 0)
    const byteLength = roundUp(perSlab * stride, PAGE_BYTES)
    const access = AccessFlag.localWrite
    return Array.from({ length: Math.max(0, Math.ceil(missing / perSlab)) }, () => ({ byteLength, access }))
  }

  /** The memory for a device and size. Give it back with {@link release}. */
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

  /** The last user's release closes the pools; what programs still hold lives on until they release it. */
  release(): void {
    if (--this.#users > 0) return
    memories.get(this.environment)?.delete(this.bufferSize)
    this.programPool.close()
    this.#buffers.close()
    for (const pool of this.#headerPools.values()) pool.close()
  }

  /** One buffer. @throws NettsError when no more memory can be pinned */
  takeBuffer(): RegisteredBuffer {
    const buffer = this.#take(this.#buffers, this.bufferSize)
    if (++this.#taken > this.#mapped) this.#mapped += buffersPerSlab(this.bufferSize)
    return buffer
  }

  /** Gives one back. */
  putBack(buffer: RegisteredBuffer): void {
    this.#taken--
    buffer.free()
  }

  /** Memory for headers. @throws NettsError when no more memory can be pinned */
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
