/**
 * What the connections over one device share within one Node.js environment: protection domain, registered memory, and
 * the completion loops. It comes with the first user and goes with the last.
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

/** Most READY messages in progress at once; each holds two slots during its handshake. */
const MOST_CONTROL_SLOTS = 16_384
const CONTROL_SLAB_BYTES = 4096

const environments = new WeakMap<Verbs, Map<Device, DeviceEnvironment>>()

interface SharedLoop {
  readonly loop: CompletionLoop
  users: number
}

/**
 * What the endpoints over one device share. It takes the device's `onEvent` for as long as it lives; drivers get theirs
 * as `endpoint.environment`.
 */
export class DeviceEnvironment {
  readonly verbs: Verbs
  readonly device: Device
  /** Of all queue pairs and slabs here: what one connection registered, another can send. */
  readonly protectionDomain: ProtectionDomain
  /** The `BufferPool.domain` of memory registered here. */
  readonly domain: symbol
  /** Slots for READY messages. */
  readonly controlSlots: OwnedBufferPool
  readonly #regions = new WeakMap<Uint8Array, MemoryRegion>()
  readonly #spareSlabs: SpareSlabs
  /** As it was when it was last in the way: it is read from files. */
  #memlockLimitBytes: number
  readonly #loops = new Map<string, SharedLoop>()
  readonly #keepAliveRounds = new Map<string, KeepAliveRounds>()
  readonly #eventHandlers = new Map<QueuePair, (event: DeviceEvent) => void>()
  #users = 0

  /** The environment of a device. Give each one back with {@link release}. */
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

  /** Undoes one {@link acquire}. The last one closes what is shared; slabs that are still in use live on. */
  release(): void {
    if (--this.#users > 0) return
    environments.get(this.verbs)?.delete(this.device)
    this.device.onEvent = undefined
    this.controlSlots.close()
    this.#spareSlabs.close()
    this.protectionDomain.close()
  }

  /**
   * Registers a slab, which the caller closes.
   * @param byteLength rounded up to whole pages
   * @param access {@link AccessFlag}s, added together. @default AccessFlag.localWrite
   * @throws NettsError `ERR_NETTS_POOL_EXHAUSTED` when the process may not pin as much, and what the device refuses
   */
  registerSlab(byteLength: number, access: number = AccessFlag.localWrite): MemoryRegion {
    const region = this.#spareSlabs.take({ byteLength, access }) ?? this.#register(byteLength, access)
    this.#regions.set(region.bytes, region)
    return region
  }

  /**
   * Registers slabs on another thread, for somebody who takes them with {@link registerSlab} once they are there. What
   * cannot be had, {@link registerSlab} says.
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

  /** The kernel counts what the device's own queues pin as well, so that it may refuse before the limit seems reached. */
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

  /** A buffer pool over registered slabs of this device, for local access alone. The caller closes it. */
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

  /** The completion loop for this way of waiting. Give each one back with {@link releaseLoop}. */
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

  /** Who watches the peers of connections with such options. */
  keepAliveRounds({ keepAliveIntervalMs, keepAliveTimeoutMs }: KeepAliveOptions): KeepAliveRounds {
    const key = `${keepAliveIntervalMs}/${keepAliveTimeoutMs}`
    let rounds = this.#keepAliveRounds.get(key)
    if (!rounds) {
      rounds = new KeepAliveRounds(this.verbs.clock, { keepAliveIntervalMs, keepAliveTimeoutMs })
      this.#keepAliveRounds.set(key, rounds)
    }
    return rounds
  }

  /** Tells a queue pair's owner of events about it, and of the end of the device. */
  watch(queuePair: QueuePair, handler: (event: DeviceEvent) => void): void {
    this.#eventHandlers.set(queuePair, handler)
  }

  /** Undoes {@link watch}. */
  unwatch(queuePair: QueuePair): void {
    this.#eventHandlers.delete(queuePair)
  }

  /**
   * An event concerns the object that it names, and nobody when that is a program's own or gone: peers can cause events.
   * Only the end of the device concerns all.
   */
  #onDeviceEvent(event: DeviceEvent): void {
    const { queuePair, completionQueue } = event
    if (event.type === 'device-fatal') {
      for (const handler of [...this.#eventHandlers.values()]) handler(event)
    } else if (queuePair) {
      this.#eventHandlers.get(queuePair)?.(event)
    } else if (completionQueue) {
      // Polling it says that it failed.
      for (const { loop } of this.#loops.values()) loop.onQueueError(completionQueue)
    }
  }
}
