/**
 * What the connections over one device share within one thread: protection domain, registered memory, and the
 * completion loops. It is made for the first user and closed by the last.
 */
import { type BufferPoolOptions, createBufferPool, NettsError, type OwnedBufferPool } from '@netts/core'
import type { Device, DeviceEvent } from '../verbs/device.js'
import { AccessFlag } from '../verbs/layout.js'
import type { MemoryRegion, ProtectionDomain } from '../verbs/protection-domain.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import type { Verbs } from '../verbs/verbs.js'
import { CompletionLoop, type PollingOptions } from './completion-loop.js'
import { READY_BYTES } from './hello.js'
import { type KeepAliveOptions, KeepAliveRounds } from './keep-alive.js'
import { type SlabNeed, type SlabReservation, SpareSlabs } from './spare-slabs.js'

/** Slots for READY messages; each connection has two until it is closed. */
const MOST_CONTROL_SLOTS = 16_384
const CONTROL_SLAB_BYTES = 4096

const environments = new WeakMap<Verbs, Map<Device, DeviceEnvironment>>()

interface SharedLoop {
  readonly loop: CompletionLoop
  users: number
}

/**
 * What the endpoints over one device share. A driver gets it as `endpoint.environment`. While it exists, it has the
 * device's `onEvent`.
 */
export class DeviceEnvironment {
  /** The verbs that the device is of. */
  readonly verbs: Verbs
  /** The device. */
  readonly device: Device
  /** The domain of all queue pairs and slabs here: what one connection registered, another can send. */
  readonly protectionDomain: ProtectionDomain
  /** The `BufferPool.domain` of the pools here. */
  readonly domain: symbol
  /** Slots for READY messages. */
  readonly controlSlots: OwnedBufferPool
  readonly #regions = new WeakMap<Uint8Array, MemoryRegion>()
  readonly #spareSlabs: SpareSlabs
  /** As it was last read: reading it takes time, so it is read again only when it would be exceeded. */
  #memlockLimitBytes: number
  readonly #loops = new Map<string, SharedLoop>()
  readonly #keepAliveRounds = new Map<string, KeepAliveRounds>()
  readonly #eventHandlers = new Map<QueuePair, (event: DeviceEvent) => void>()
  #users = 0

  /**
   * The environment of a device, the same for all users. Give each one back with {@link release}.
   * @throws NettsError `ERR_NETTS_VERBS` when the device refuses a protection domain
   */
  static acquire(verbs: Verbs, device: Device): DeviceEnvironment {
    const ofVerbs = environments.get(verbs) ?? new Map<Device, DeviceEnvironment>()
    environments.set(verbs, ofVerbs)
    const environment = ofVerbs.get(device) ?? new DeviceEnvironment(verbs, device)
    ofVerbs.set(device, environment)
    environment.#users++
    return environment
  }

  private constructor(verbs: Verbs, device: Device) {
    this.verbs = verbs
    this.device = device
    this.domain = Symbol(`registered with ${device.name}`)
    this.protectionDomain = device.allocateProtectionDomain()
    this.#memlockLimitBytes = verbs.memlockLimitBytes
    this.#spareSlabs = new SpareSlabs((need) => this.protectionDomain.registerRegionAsync(need))
    this.controlSlots = this.createBufferPool({
      classes: [{ byteLength: READY_BYTES, count: MOST_CONTROL_SLOTS }],
      slabByteLength: CONTROL_SLAB_BYTES,
    })
    device.onEvent = (event) => this.#onDeviceEvent(event)
  }

  /** Undoes one {@link acquire}. The last one closes what is shared; slabs that are still in use stay registered. */
  release(): void {
    if (--this.#users > 0) return
    environments.get(this.verbs)?.delete(this.device)
    this.device.onEvent = undefined
    this.controlSlots.close()
    this.#spareSlabs.close()
    this.protectionDomain.close()
  }

  /**
   * Registers a slab, which the caller closes. It takes one that was registered ahead if there is one.
   * @param byteLength rounded up to whole pages
   * @param access {@link AccessFlag}s, added together. @default AccessFlag.localWrite
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when the process may not pin as much; `ERR_NETTS_VERBS` when the
   *   device refuses
   */
  registerSlab(byteLength: number, access: number = AccessFlag.localWrite): MemoryRegion {
    const region = this.#spareSlabs.take({ byteLength, access }) ?? this.#register(byteLength, access)
    this.#regions.set(region.bytes, region)
    return region
  }

  /**
   * Registers slabs on another thread, for a caller that takes them with {@link registerSlab} when they are ready. A
   * failure is not reported here: `registerSlab` fails then.
   */
  reserveSlabs(needs: readonly SlabNeed[]): SlabReservation {
    const byteLength = needs.reduce((sum, need) => sum + need.byteLength, 0)
    return this.#spareSlabs.reserve(this.#mayPin(byteLength) ? needs : [])
  }

  /** Whether the process may pin so many bytes more. */
  #mayPin(byteLength: number): boolean {
    const wanted = this.verbs.pinnedBytes + byteLength
    if (wanted > this.#memlockLimitBytes) this.#memlockLimitBytes = this.verbs.memlockLimitBytes
    return wanted <= this.#memlockLimitBytes
  }

  /** Registers a slab on another thread, for a pool that will soon ask for it. */
  #prepareSlab(byteLength: number): void {
    if (this.#mayPin(byteLength)) this.#spareSlabs.prepare({ byteLength, access: AccessFlag.localWrite })
  }

  /** The kernel also counts what the device's own queues pin, so it may refuse before the limit seems to be reached. */
  #register(byteLength: number, access: number): MemoryRegion {
    if (!this.#mayPin(byteLength) && !(this.#spareSlabs.clear() && this.#mayPin(byteLength))) {
      throw new NettsError(
        'ERR_NETTS_POOL_EXHAUSTED',
        `cannot pin ${byteLength} bytes more: ${this.verbs.pinnedBytes} are pinned, and RLIMIT_MEMLOCK allows ${this.#memlockLimitBytes}. Raise it with ulimit -l, or in the service's LimitMEMLOCK`,
        { operation: 'ibv_reg_mr' },
      )
    }
    try {
      return this.protectionDomain.registerRegion({ byteLength, access })
    } catch (error) {
      if ((error as { cause?: { code?: unknown } }).cause?.code !== 'ENOMEM') throw error
      if (this.#spareSlabs.clear()) return this.#register(byteLength, access)
      throw new NettsError(
        'ERR_NETTS_POOL_EXHAUSTED',
        `cannot pin ${byteLength} bytes more: ${(error as Error).message}. Raise the limit (RLIMIT_MEMLOCK) with ulimit -l, or in the service's LimitMEMLOCK`,
        { operation: 'ibv_reg_mr', cause: error },
      )
    }
  }

  /**
   * The region of a slab that {@link registerSlab} or a pool of {@link createBufferPool} made.
   * @throws NettsError `ERR_NETTS_FOREIGN_BUFFER` for other memory
   */
  regionOf(slab: Uint8Array): MemoryRegion {
    const region = this.#regions.get(slab)
    if (!region) throw new NettsError('ERR_NETTS_FOREIGN_BUFFER', 'this memory is not registered here')
    return region
  }

  /** Makes a buffer pool over registered slabs, which peers cannot reach. The caller closes it. */
  createBufferPool(
    options: Pick<BufferPoolOptions, 'classes' | 'slabByteLength' | 'detectLeaks'>,
  ): OwnedBufferPool {
    return createBufferPool({
      ...options,
      domain: this.domain,
      allocateSlab: (byteLength) => this.registerSlab(byteLength).bytes,
      prepareSlab: (byteLength) => this.#prepareSlab(byteLength),
      freeSlab: (slab) => this.regionOf(slab).close(),
    })
  }

  /** The completion loop for these options, the same for all users. Give each one back with {@link releaseLoop}. */
  acquireLoop(options: PollingOptions): CompletionLoop {
    const key = JSON.stringify(options)
    let shared = this.#loops.get(key)
    if (!shared) {
      shared = { loop: new CompletionLoop(this.device, this.verbs.clock, options), users: 0 }
      this.#loops.set(key, shared)
    }
    shared.users++
    return shared.loop
  }

  /** Undoes one {@link acquireLoop}. */
  releaseLoop(loop: CompletionLoop): void {
    for (const [key, shared] of this.#loops) {
      if (shared.loop !== loop || --shared.users > 0) continue
      this.#loops.delete(key)
      loop.close()
    }
  }

  /** The keepalive of the connections with these options, the same for all users. */
  keepAliveRounds({ keepAliveIntervalMs, keepAliveTimeoutMs }: KeepAliveOptions): KeepAliveRounds {
    const key = `${keepAliveIntervalMs}/${keepAliveTimeoutMs}`
    let rounds = this.#keepAliveRounds.get(key)
    if (!rounds) {
      rounds = new KeepAliveRounds(this.verbs.clock, { keepAliveIntervalMs, keepAliveTimeoutMs })
      this.#keepAliveRounds.set(key, rounds)
    }
    return rounds
  }

  /** Calls `handler` for each event about a queue pair, and when the device is removed. */
  watch(queuePair: QueuePair, handler: (event: DeviceEvent) => void): void {
    this.#eventHandlers.set(queuePair, handler)
  }

  /** Undoes {@link watch}. */
  unwatch(queuePair: QueuePair): void {
    this.#eventHandlers.delete(queuePair)
  }

  /**
   * Hands an event to the object that it is about, if that is one of an endpoint. Only the removal of the device goes
   * to all: peers can cause the other events.
   */
  #onDeviceEvent(event: DeviceEvent): void {
    const { queuePair, completionQueue } = event
    if (event.type === 'device-fatal') {
      for (const handler of [...this.#eventHandlers.values()]) handler(event)
    } else if (queuePair) {
      this.#eventHandlers.get(queuePair)?.(event)
    } else if (completionQueue) {
      // Polling the queue throws if it failed.
      for (const { loop } of this.#loops.values()) loop.onQueueError(completionQueue)
    }
  }
}
