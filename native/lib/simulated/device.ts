/** The simulated device: its limits, abilities, port and events. */
import { NettsError } from '@netts/core'
import type { CompletionChannel, CompletionChannelOptions } from '../verbs/completion-queue.js'
import type { DeviceCapabilities, DeviceEvent, Gid, Port, PortState } from '../verbs/device.js'
import type { DeviceAttributes } from '../verbs/device-attributes.js'
import { callError } from '../verbs/errors.js'
import type { ProtectionDomain } from '../verbs/protection-domain.js'
import type { VerbsCounts } from '../verbs/verbs.js'
import { SimulatedCompletionChannel } from './completion-queue.js'
import type { SimulatedCounters, SimulationMode } from './contract.js'
import type { Machine, MachineDevice } from './machine.js'
import { SimulatedProtectionDomain } from './memory.js'
import type { Step } from './scheduler.js'

/** Of the same order as those of Soft-RoCE (`rxe_param.h`), and small enough for tests to reach. */
const ATTRIBUTES: DeviceAttributes = {
  firmwareVersion: '',
  vendorId: 0,
  vendorPartId: 0,
  maxQueuePairs: 4096,
  maxWorkRequests: 16384,
  maxEntries: 16,
  maxCompletionQueues: 4096,
  maxCompletions: 32768,
  maxMemoryRegions: 4096,
  maxRegionBytes: 2 ** 31,
  maxProtectionDomains: 4096,
  maxResponderResources: 16,
  maxInitiatorDepth: 16,
  maxMemoryWindows: 4096,
  maxSharedReceiveQueues: 1024,
  maxSharedReceiveWorkRequests: 16384,
  maxSharedReceiveEntries: 16,
  completionVectors: 4,
}

/** As Soft-RoCE (`RXE_MAX_INLINE_DATA`). */
const MAX_INLINE_BYTES = 400

export class SimulatedDevice implements MachineDevice {
  readonly name: string
  readonly guid: string
  readonly transport: 'infiniband' | 'iwarp'
  readonly attributes: DeviceAttributes
  readonly capabilities: DeviceCapabilities
  readonly maxInlineBytes = MAX_INLINE_BYTES
  readonly counters: SimulatedCounters = { receiverNotReady: 0, retriesExceeded: 0, blockingCalls: 0 }
  removed = false
  onEvent: ((event: DeviceEvent) => void) | undefined
  readonly #host: Machine
  readonly #events: DeviceEvent[] = []
  readonly #deliver: Step
  readonly #freeNumbers: number[] = []
  #nextNumber = 17
  #portState: PortState = 'active'

  constructor(host: Machine, mode: SimulationMode, limits: Partial<DeviceAttributes>) {
    const roce = mode === 'roce'
    this.#host = host
    this.name = roce ? 'simroce0' : 'simiwarp0'
    this.guid = (0x0200_0000_0000_0001n + BigInt(host.index)).toString(16).padStart(16, '0')
    this.transport = roce ? 'infiniband' : 'iwarp'
    this.attributes = Object.freeze({ ...ATTRIBUTES, ...(roce ? {} : { maxMemoryWindows: 0 }), ...limits })
    this.capabilities = Object.freeze({
      immediateData: roce,
      atomics: roce,
      memoryWindows: roce && this.attributes.maxMemoryWindows > 0,
      sendWithInvalidate: roce && this.attributes.maxMemoryWindows > 0,
      receiverNotReady: roce,
      acceptorSpeaksFirst: roce,
    })
    this.#deliver = host.programStep('device event', () => {
      const event = this.#events.shift() as DeviceEvent
      this.#deliver.enabled = this.#events.length > 0
      this.onEvent?.(withoutClosed(event))
    })
  }

  get acknowledges(): boolean {
    return this.transport === 'infiniband'
  }

  ports(): readonly Port[] {
    this.#host.enter('ibv_query_port')
    this.#requirePresence('ibv_query_port')
    return [
      {
        number: 1,
        state: this.#portState,
        linkLayer: 'ethernet',
        activeMtuBytes: 4096,
        maxMessageBytes: 2 ** 31,
      },
    ]
  }

  gids(): readonly Gid[] {
    this.#host.enter('ibv_query_gid')
    this.#requirePresence('ibv_query_gid')
    const address = `::ffff:${this.#host.address}`
    const type = this.transport === 'infiniband' ? 'roce-v2' : undefined
    return [{ portNumber: 1, index: 0, address, type, networkInterface: undefined }]
  }

  allocateProtectionDomain(): ProtectionDomain {
    this.#host.enter('ibv_alloc_pd')
    this.checkLimit('protectionDomains', 'maxProtectionDomains', 'ibv_alloc_pd')
    return new SimulatedProtectionDomain(this.#host)
  }

  createCompletionChannel(options?: CompletionChannelOptions): CompletionChannel {
    this.#host.enter('ibv_create_comp_channel')
    this.#requirePresence('ibv_create_comp_channel')
    return new SimulatedCompletionChannel(this.#host, options)
  }

  /** @throws NettsError `ERR_NETTS_VERBS` with EIO, as the kernel, when the device was removed */
  #requirePresence(operation: string): void {
    if (this.removed) throw callError(operation, 'EIO', { device: this.name })
  }

  raise(event: DeviceEvent): void {
    this.#events.push(event)
    this.#deliver.enabled = true
  }

  setPortState(state: PortState): void {
    this.#portState = state
    const up = state === 'active'
    this.raise({
      type: up ? 'port-active' : 'port-error',
      name: up ? 'IBV_EVENT_PORT_ACTIVE' : 'IBV_EVENT_PORT_ERR',
      portNumber: 1,
    })
  }

  checkLimit(kind: keyof VerbsCounts, limit: keyof DeviceAttributes, operation: string): void {
    this.#requirePresence(operation)
    const most = this.attributes[limit] as number
    if (this.#host.counts[kind] >= most) {
      throw callError(operation, 'ENOMEM', { device: this.name, hint: `The device has at most ${most}` })
    }
  }

  requireCapability(capability: keyof DeviceCapabilities, name: string): void {
    if (!this.capabilities[capability]) {
      throw new NettsError('ERR_NETTS_UNSUPPORTED', `${this.name} has no ${name}`)
    }
  }

  /** Numbers of closed queue pairs are used again soon, and at random, as a real device may do. */
  takeQueuePairNumber(): number {
    const { random } = this.#host.fabric
    if (this.#freeNumbers.length > 0 && random.chance(0.5)) {
      return this.#freeNumbers.splice(random.below(this.#freeNumbers.length), 1)[0] as number
    }
    return this.#nextNumber++
  }

  returnQueuePairNumber(number: number): void {
    this.#freeNumbers.push(number)
  }
}

/** Removes objects that were closed from an event. */
function withoutClosed(event: DeviceEvent): DeviceEvent {
  const { queuePair, completionQueue, sharedReceiveQueue, ...rest } = event
  return {
    ...rest,
    ...(isOpen(queuePair) && { queuePair }),
    ...(isOpen(completionQueue) && { completionQueue }),
    ...(isOpen(sharedReceiveQueue) && { sharedReceiveQueue }),
  }
}

function isOpen<T extends object>(subject: T | undefined): subject is T {
  return subject !== undefined && !(subject as { readonly closed?: boolean }).closed
}
