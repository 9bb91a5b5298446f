/**
 * The memory of this end's ring, and the key by which the peer writes it: that of a window of type 2, which is of use on
 * this connection's queue pair alone, or else that of the region, which any queue pair of the protection domain may use.
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

/** Work requests that {@link RingMemory.open} posts. */
export const WINDOW_REQUESTS = 1

/** What {@link RingMemory} registers. */
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
  readonly region: MemoryRegion
  readonly #window: MemoryWindow | undefined

  /**
   * @throws NettsError `ERR_NETTS_UNSUPPORTED` when a window is required and the device has none; when the memory or the
   *   window can't be had
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
   * Lets the peer write. A window is bound by a request that goes ahead of whatever is posted later, so that the address
   * may be sent right behind it. If the device refuses it, that ends the connection.
   *
   * @param queuePair whose send records are all free
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

  /** Nothing is outstanding any more: the key of a window is void from now on. A window goes before its queue pair. */
  closeWindow(): void {
    this.#window?.close()
  }

  /** The key is void from now on; what was received stays readable. */
  close(): void {
    this.closeWindow()
    this.region.close()
  }
}
