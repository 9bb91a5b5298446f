/** Protection domains, regions and windows of the simulated device. */
import { NettsError } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'
import { checkAccess, checkSharedMemory } from '../verbs/checks.js'
import { callError } from '../verbs/errors.js'
import { AccessFlag } from '../verbs/layout.js'
import type {
  MemoryRegion,
  MemoryRegionOptions,
  MemoryWindow,
  ProtectionDomain,
} from '../verbs/protection-domain.js'
import type { SharedReceiveQueue, SharedReceiveQueueOptions } from '../verbs/shared-receive-queue.js'
import type { Machine, MachineDevice } from './machine.js'
import {
  PAGE_BYTES,
  type RegisteredRegion,
  type RegisteredWindow,
  type WindowBinding,
} from './memory-table.js'
import { Resource } from './resource.js'
import { SimulatedSharedReceiveQueue } from './shared-receive-queue.js'

export class SimulatedProtectionDomain extends Resource implements ProtectionDomain {
  readonly device: MachineDevice

  constructor(host: Machine) {
    super(host, 'protectionDomains')
    this.device = host.device
  }

  registerRegion(options: MemoryRegionOptions): MemoryRegion {
    this.enter('ibv_reg_mr')
    const { access = AccessFlag.localWrite } = options
    checkAccess(access)
    if ('memory' in options) return new SimulatedMemoryRegion(this, checkSharedMemory(options.memory), access)
    if ('fileDescriptor' in options) {
      throw new NettsError('ERR_NETTS_UNSUPPORTED', `${this.device.name} maps no files`, {
        operation: 'ibv_reg_mr',
      })
    }
    const { byteLength } = options
    if (!Number.isSafeInteger(byteLength) || byteLength < 1) {
      throw invalidArgument(`byteLength must be a positive integer, not ${byteLength}`, 'ibv_reg_mr')
    }
    return new SimulatedMemoryRegion(this, Math.ceil(byteLength / PAGE_BYTES) * PAGE_BYTES, access)
  }

  async registerRegionAsync(options: MemoryRegionOptions): Promise<MemoryRegion> {
    await this.host.nextTurn('registered a region')
    return this.registerRegion(options)
  }

  allocateMemoryWindow(): MemoryWindow {
    this.enter('ibv_alloc_mw')
    this.device.requireCapability('memoryWindows', 'memory windows')
    return new SimulatedMemoryWindow(this)
  }

  createSharedReceiveQueue(options: SharedReceiveQueueOptions): SharedReceiveQueue {
    this.enter('ibv_create_srq')
    return new SimulatedSharedReceiveQueue(this.host, this.device, options)
  }

  protected release(): void {}
}

export class SimulatedMemoryRegion extends Resource implements MemoryRegion, RegisteredRegion {
  readonly id: number
  readonly bytes: Uint8Array
  readonly remoteAddress: bigint
  readonly remoteKey: number
  readonly protectionDomain: SimulatedProtectionDomain
  readonly access: number

  /** @param memory new memory of so many bytes, or what exists */
  constructor(protectionDomain: SimulatedProtectionDomain, memory: number | Uint8Array, access: number) {
    const byteLength = typeof memory === 'number' ? memory : memory.byteLength
    const { host, device } = protectionDomain
    device.checkLimit('memoryRegions', 'maxMemoryRegions', 'ibv_reg_mr')
    if (host.pinnedBytes + byteLength > host.memlockLimitBytes) {
      throw callError('ibv_reg_mr', 'ENOMEM', {
        device: device.name,
        hint: `${byteLength} bytes were asked for with ${host.pinnedBytes} pinned already, and RLIMIT_MEMLOCK is ${host.memlockLimitBytes}; raise it with ulimit -l`,
      })
    }
    super(host, 'memoryRegions')
    this.protectionDomain = protectionDomain
    this.access = access
    this.bytes = typeof memory === 'number' ? new Uint8Array(memory) : memory
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

export class SimulatedMemoryWindow extends Resource implements MemoryWindow, RegisteredWindow {
  readonly id: number
  readonly protectionDomain: SimulatedProtectionDomain
  remoteKey: number
  binding: WindowBinding | undefined

  constructor(protectionDomain: SimulatedProtectionDomain) {
    protectionDomain.device.checkLimit('memoryWindows', 'maxMemoryWindows', 'ibv_alloc_mw')
    super(protectionDomain.host, 'memoryWindows')
    this.protectionDomain = protectionDomain
    this.id = this.host.memory.addWindow(this)
    this.remoteKey = this.host.memory.newKey()
  }

  protected release(): void {
    this.host.memory.removeWindow(this)
  }
}
