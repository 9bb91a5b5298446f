/**
 * The memory of this end's ring, and the key with which the peer writes it: that of a window of type 2, which is good
 * on this connection's queue pair only, or else that of the region, which is good on every queue pair of the protection
 * domain.
 */
import { NettsError } from '@netts/core'
import {
  AccessFlag,
  type MemoryRegion,
  type MemoryWindow,
  nextRemoteKey,
  type QueuePair,
  SendOpcode,
  writeSend,
} from '@netts/verbs'
import { type DeviceEnvironment, type SlabNeed, WorkKind, workRequestIdLow } from '@netts/verbs/endpoint'
import type { RingConfig } from './options.js'
import type { RingAddress } from './protocol/hello.js'

/** How many work requests {@link RingMemory.open} posts at most. */
export const WINDOW_REQUESTS = 1

/** The slab that {@link RingMemory} registers. */
export function ringSlab(
  { device }: DeviceEnvironment,
  { capacity, memoryWindow }: Pick<RingConfig, 'capacity' | 'memoryWindow'>,
): SlabNeed {
  const isWindowed = device.capabilities.memoryWindows && memoryWindow !== 'never'
  const remote = isWindowed ? AccessFlag.windowBind : AccessFlag.remoteWrite
  return { byteLength: capacity, access: AccessFlag.localWrite + remote }
}

/** The ring of one connection, in registered memory. */
export class RingMemory {
  /** The memory, which stays readable after {@link close}. */
  readonly region: MemoryRegion
  readonly #window: MemoryWindow | undefined

  /**
   * @throws NettsError `ERR_NETTS_UNSUPPORTED` when a window is required and the device has none;
   *   `ERR_NETTS_POOL_EXHAUSTED` or `ERR_NETTS_VERBS` when there is no memory or no window
   */
  constructor(environment: DeviceEnvironment, { capacity, memoryWindow }: RingConfig) {
    const { device, protectionDomain } = environment
    const hasWindows = device.capabilities.memoryWindows
    if (memoryWindow === 'require' && !hasWindows) {
      throw new NettsError(
        'ERR_NETTS_UNSUPPORTED',
        `the device ${device.name} has no memory windows of type 2, and memoryWindow is 'require'`,
        { operation: 'ibv_alloc_mw' },
      )
    }
    const { access } = ringSlab(environment, { capacity, memoryWindow })
    this.region = environment.registerSlab(capacity, access)
    try {
      if ((access & AccessFlag.windowBind) !== 0) this.#window = protectionDomain.allocateMemoryWindow()
    } catch (error) {
      this.region.close()
      throw error
    }
  }

  /** Whether the key is that of a window. */
  get isWindowed(): boolean {
    return this.#window !== undefined
  }

  /**
   * Lets the peer write. A window is bound by a work request, which is carried out before what is posted after it, so
   * that the address may be sent next. If it fails, its completion ends the connection.
   *
   * @param queuePair whose send records are all free
   * @throws NettsError `ERR_NETTS_VERBS` when the device refuses
   */
  open(queuePair: QueuePair): RingAddress {
    const { region } = this
    const window = this.#window
    if (!window) return { address: region.remoteAddress, key: region.remoteKey }
    const key = nextRemoteKey(window.remoteKey)
    writeSend(queuePair, 0, {
      id: BigInt(workRequestIdLow(WorkKind.other, 0)),
      opcode: SendOpcode.bindWindow,
      entries: [{ region, byteLength: region.byteLength }],
      remoteAddress: region.remoteAddress,
      remoteKey: key,
      window,
      windowAccess: AccessFlag.remoteWrite,
    })
    queuePair.postSend(1, 0)
    return { address: region.remoteAddress, key }
  }

  /** Makes the key of a window invalid. To be called when nothing is outstanding, before the queue pair is closed. */
  closeWindow(): void {
    this.#window?.close()
  }

  /** Makes the key invalid. What was received stays readable. */
  close(): void {
    this.closeWindow()
    this.region.close()
  }
}
