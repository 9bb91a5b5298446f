/** Protection domains, regions and windows of the simulated device, and the checks that keys are for. */
import { invalidArgument } from '@netts/core/driver'
import { callError } from '../verbs/errors.js'
import { AccessFlag } from '../verbs/layout.js'
import type {
  MemoryRegion,
  MemoryRegionOptions,
  MemoryWindow,
  ProtectionDomain,
} from '../verbs/protection-domain.js'
import type { SharedReceiveQueue, SharedReceiveQueueOptions } from '../verbs/shared-receive-queue.js'
import type { Host } from './host.js'
import type { SimulatedQueuePair } from './queue-pair.js'
import { Resource } from './resource.js'
import { SimulatedSharedReceiveQueue } from './shared-receive-queue.js'

const PAGE_BYTES = 4096
const ALL_ACCESS = 31

export class SimulatedProtectionDomain extends Resource implements ProtectionDomain {
  constructor(host: Host) {
    super(host, 'protectionDomains')
  }

  registerRegion(options: MemoryRegionOptions): MemoryRegion {
    this.enter('ibv_reg_mr')
    const { byteLength, access = AccessFlag.localWrite } = options
    if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
      throw invalidArgument(`byteLength must be a positive integer, not ${byteLength}`, 'ibv_reg_mr')
    }
    if (!Number.isInteger(access) || access < 0 || access > ALL_ACCESS) {
      throw invalidArgument(`access must be AccessFlags, not ${access}`, 'ibv_reg_mr')
    }
    if (access & (AccessFlag.remoteWrite | AccessFlag.remoteAtomic) && !(access & AccessFlag.localWrite)) {
      throw invalidArgument('remoteWrite and remoteAtomic need localWrite', 'ibv_reg_mr')
    }
    return new SimulatedMemoryRegion(this, Math.ceil(byteLength / PAGE_BYTES) * PAGE_BYTES, access)
  }

  async registerRegionAsync(options: MemoryRegionOptions): Promise<MemoryRegion> {
    await this.host.nextTurn('registered a region')
    return this.registerRegion(options)
  }

  allocateMemoryWindow(): MemoryWindow {
    this.enter('ibv_alloc_mw')
    this.host.device.requireCapability('memoryWindows', 'memory windows')
    return new SimulatedMemoryWindow(this)
  }

  createSharedReceiveQueue(options: SharedReceiveQueueOptions): SharedReceiveQueue {
    this.enter('ibv_create_srq')
    return new SimulatedSharedReceiveQueue(this, options)
  }

  protected release(): void {}
}

export class SimulatedMemoryRegion extends Resource implements MemoryRegion {
  readonly id: number
  readonly bytes: Uint8Array
  readonly remoteAddress: bigint
  readonly remoteKey: number
  readonly protectionDomain: SimulatedProtectionDomain
  readonly access: number

  constructor(protectionDomain: SimulatedProtectionDomain, byteLength: number, access: number) {
    const { host } = protectionDomain
    host.device.checkLimit('memoryRegions', 'maxMemoryRegions', 'ibv_reg_mr')
    if (host.pinnedBytes + byteLength > host.memlockLimitBytes) {
      throw callError('ibv_reg_mr', 'ENOMEM', {
        device: host.device.name,
        hint: `${byteLength} bytes were asked for with ${host.pinnedBytes} pinned already, and RLIMIT_MEMLOCK is ${host.memlockLimitBytes}; raise it with ulimit -l`,
      })
    }
    super(host, 'memoryRegions')
    this.protectionDomain = protectionDomain
    this.access = access
    this.bytes = new Uint8Array(byteLength)
    const { id, address, key } = host.memory.add(this)
    this.id = id
    this.remoteAddress = address
    this.remoteKey = key
  }

  get byteLength(): number {
    return this.bytes.byteLength
  }

  protected release(): void {
    this.host.memory.remove(this)
  }
}

/** What a window was bound to. */
interface Binding {
  readonly region: SimulatedMemoryRegion
  readonly queuePair: SimulatedQueuePair
  readonly address: bigint
  readonly byteLength: number
  readonly access: number
}

export class SimulatedMemoryWindow extends Resource implements MemoryWindow {
  readonly id: number
  readonly protectionDomain: SimulatedProtectionDomain
  remoteKey: number
  binding: Binding | undefined

  constructor(protectionDomain: SimulatedProtectionDomain) {
    protectionDomain.host.device.checkLimit('memoryWindows', 'maxMemoryWindows', 'ibv_alloc_mw')
    super(protectionDomain.host, 'memoryWindows')
    this.protectionDomain = protectionDomain
    this.id = this.host.memory.addWindow(this)
    this.remoteKey = this.host.memory.newKey()
  }

  protected release(): void {
    this.host.memory.removeWindow(this)
  }
}

/** All memory of a host that its device can reach. */
export class MemoryTable {
  readonly #regions = new Map<number, SimulatedMemoryRegion>()
  readonly #regionsByKey = new Map<number, SimulatedMemoryRegion>()
  readonly #windows = new Map<number, SimulatedMemoryWindow>()
  #nextId = 1
  #nextKeyIndex = 1
  #nextAddress: bigint
  pinnedBytes = 0

  /** @param hostIndex makes addresses and keys of different hosts differ */
  constructor(hostIndex: number) {
    this.#nextAddress = 0x7f00_0000_0000n + (BigInt(hostIndex) << 36n)
    this.#nextKeyIndex = 1 + hostIndex * 0x1_0000
  }

  /** A fresh key: an index, and 8 bits that count up when a window is bound anew. */
  newKey(): number {
    return (this.#nextKeyIndex++ << 8) >>> 0
  }

  add(region: SimulatedMemoryRegion): { id: number; address: bigint; key: number } {
    const id = this.#nextId++
    const key = this.newKey()
    const address = this.#nextAddress
    // A gap after each region, so that running over its end hits nothing.
    this.#nextAddress += BigInt(region.byteLength + 16 * PAGE_BYTES)
    this.#regions.set(id, region)
    this.#regionsByKey.set(key, region)
    this.pinnedBytes += region.byteLength
    return { id, address, key }
  }

  remove(region: SimulatedMemoryRegion): void {
    this.#regions.delete(region.id)
    this.#regionsByKey.delete(region.remoteKey)
    this.pinnedBytes -= region.byteLength
  }

  addWindow(window: SimulatedMemoryWindow): number {
    const id = this.#nextId++
    this.#windows.set(id, window)
    return id
  }

  removeWindow(window: SimulatedMemoryWindow): void {
    this.#windows.delete(window.id)
  }

  region(id: number): SimulatedMemoryRegion | undefined {
    return this.#regions.get(id)
  }

  window(id: number): SimulatedMemoryWindow | undefined {
    return this.#windows.get(id)
  }

  /** The window that has this key and is bound. */
  windowByKey(key: number): SimulatedMemoryWindow | undefined {
    for (const window of this.#windows.values()) {
      if (window.binding && window.remoteKey === key) return window
    }
    return undefined
  }

  /**
   * The memory behind an address and a key that a peer named.
   * @returns `undefined` when key, bounds, protection domain, queue pair or access forbid it
   */
  reach(
    queuePair: SimulatedQueuePair,
    key: number,
    address: bigint,
    byteLength: number,
    access: number,
  ): Uint8Array | undefined {
    const region = this.#regionsByKey.get(key)
    if (region) {
      if (region.protectionDomain !== queuePair.protectionDomain || !(region.access & access))
        return undefined
      return within(region, region.remoteAddress, region.byteLength, address, byteLength)
    }
    const binding = this.windowByKey(key)?.binding
    if (!binding || binding.queuePair !== queuePair || binding.region.closed || !(binding.access & access)) {
      return undefined
    }
    return within(binding.region, binding.address, binding.byteLength, address, byteLength)
  }
}

function within(
  region: SimulatedMemoryRegion,
  base: bigint,
  length: number,
  address: bigint,
  byteLength: number,
): Uint8Array | undefined {
  if (address < base || address + BigInt(byteLength) > base + BigInt(length)) return undefined
  const offset = Number(address - region.remoteAddress)
  return region.bytes.subarray(offset, offset + byteLength)
}
