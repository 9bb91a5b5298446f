/** Protection domains, memory regions and windows over the addon. */
import { NettsError } from '@netts/core'
import { checkInteger } from '@netts/core/driver'
import { checkAccess, checkSharedMemory } from '../verbs/checks.js'
import { AccessFlag } from '../verbs/layout.js'
import type {
  MemoryRegion,
  MemoryRegionOptions,
  MemoryWindow,
  ProtectionDomain,
} from '../verbs/protection-domain.js'
import type { SharedReceiveQueue, SharedReceiveQueueOptions } from '../verbs/shared-receive-queue.js'
import type { OpenDevice } from './environment.js'
import { attempt, translate } from './failures.js'
import { memlockLimitBytes } from './memlock.js'
import type { NativeMemory, NativeRegion, NativeWindow } from './native-binding.js'
import { NativeObject } from './native-object.js'
import { AddonSharedReceiveQueue } from './shared-receive-queue.js'

/** An entry's offset in a region has 32 bits. */
const MAX_REGION_BYTES = 2 ** 32 - 4096

class AddonMemoryRegion extends NativeObject implements MemoryRegion {
  readonly id: number
  readonly bytes: Uint8Array
  readonly byteLength: number
  readonly access: number
  readonly remoteAddress: bigint
  readonly remoteKey: number

  constructor(domain: AddonProtectionDomain, native: NativeRegion, { memory, access }: CheckedRegion) {
    super(domain.device.environment, native, 'the memory region')
    this.id = native.id
    // Without a buffer it is the caller's memory.
    this.bytes = native.buffer ? new Uint8Array(native.buffer) : (memory as Uint8Array)
    this.byteLength = this.bytes.byteLength
    this.access = access
    this.remoteAddress = native.remoteAddress
    this.remoteKey = native.remoteKey
  }
}

class AddonMemoryWindow extends NativeObject implements MemoryWindow {
  readonly id: number
  readonly remoteKey: number

  constructor(domain: AddonProtectionDomain, native: NativeWindow) {
    super(domain.device.environment, native, 'the memory window')
    this.id = native.id
    this.remoteKey = native.remoteKey
  }
}

export class AddonProtectionDomain extends NativeObject implements ProtectionDomain {
  readonly device: OpenDevice

  constructor(device: OpenDevice) {
    const { binding } = device.environment
    const created = attempt(() => binding.allocateProtectionDomain(device.use()), { device: device.name })
    super(device.environment, created, 'the protection domain')
    this.device = device
  }

  registerRegion(options: MemoryRegionOptions): MemoryRegion {
    const region = checkRegion(options)
    const handle = this.use()
    try {
      const native = this.environment.binding.registerRegion(handle, region.memory, region.access)
      return new AddonMemoryRegion(this, native, region)
    } catch (thrown) {
      throw this.#refusal(thrown, region.byteLength)
    }
  }

  async registerRegionAsync(options: MemoryRegionOptions): Promise<MemoryRegion> {
    const region = checkRegion(options)
    const handle = this.use()
    try {
      const native = await this.environment.binding.registerRegionAsync(handle, region.memory, region.access)
      return new AddonMemoryRegion(this, native, region)
    } catch (thrown) {
      throw this.#refusal(thrown, region.byteLength)
    }
  }

  #refusal(thrown: unknown, byteLength: number): unknown {
    const hint =
      (thrown as { code?: unknown }).code === 'ENOMEM'
        ? `${byteLength} bytes were asked for, this process pins ${this.environment.binding.pinnedBytes()}, and ` +
          `may pin ${memlockLimitBytes()} (ulimit -l)`
        : undefined
    return translate(thrown, { device: this.device.name, ...(hint !== undefined && { hint }) })
  }

  allocateMemoryWindow(): MemoryWindow {
    const handle = this.use()
    if (!this.device.capabilities.memoryWindows) {
      throw new NettsError('ERR_NETTS_UNSUPPORTED', `${this.device.name} has no memory windows of type 2`)
    }
    const native = attempt(() => this.environment.binding.allocateMemoryWindow(handle), {
      device: this.device.name,
    })
    return new AddonMemoryWindow(this, native)
  }

  createSharedReceiveQueue(options: SharedReceiveQueueOptions): SharedReceiveQueue {
    return new AddonSharedReceiveQueue(this, options)
  }
}

interface CheckedRegion {
  readonly memory: NativeMemory
  readonly byteLength: number
  readonly access: number
}

function checkRegion(options: MemoryRegionOptions): CheckedRegion {
  const { access = AccessFlag.localWrite } = options
  const memory = checkMemory(options)
  checkAccess(access)
  return { memory, byteLength: typeof memory === 'number' ? memory : memory.byteLength, access }
}

function checkMemory(options: MemoryRegionOptions): NativeMemory {
  if ('memory' in options) {
    const memory = checkSharedMemory(options.memory)
    checkInteger('byteLength', memory.byteLength, 1, MAX_REGION_BYTES)
    return memory
  }
  const byteLength = checkInteger('byteLength', options.byteLength, 1, MAX_REGION_BYTES)
  if (!('fileDescriptor' in options)) return byteLength
  const { fileDescriptor, fileOffset = 0 } = options
  checkInteger('fileDescriptor', fileDescriptor, 0, 0x7fffffff)
  checkInteger('fileOffset', fileOffset, 0, Number.MAX_SAFE_INTEGER)
  return { fileDescriptor, fileOffset, byteLength }
}
