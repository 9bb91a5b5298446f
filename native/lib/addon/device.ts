/** Devices over the addon. */
import type { CompletionChannel, CompletionChannelOptions } from '../verbs/completion-queue.js'
import type { Device, DeviceCapabilities, DeviceEvent, Gid, Port } from '../verbs/device.js'
import type { DeviceAttributes } from '../verbs/device-attributes.js'
import type { ProtectionDomain } from '../verbs/protection-domain.js'
import { AddonCompletionChannel, AddonCompletionQueue } from './completion-queue.js'
import { DEVICE_EVENTS, LINK_LAYERS, PORT_EVENTS, PORT_STATES } from './device-names.js'
import type { Receiver } from './dispatch.js'
import type { Environment } from './environment.js'
import { attempt } from './failures.js'
import { gidOrigin } from './gid-origin.js'
import type { NativeDevice, NativeDeviceEvent, NativePort } from './native-binding.js'
import { NativeObject } from './native-object.js'
import { AddonProtectionDomain } from './protection-domain.js'
import { AddonQueuePair } from './queue-pair.js'
import { AddonSharedReceiveQueue } from './shared-receive-queue.js'

export class AddonDevice extends NativeObject implements Device, Receiver {
  declare readonly environment: Environment
  readonly name: string
  readonly transport: 'infiniband' | 'iwarp'
  readonly guid: string
  readonly attributes: DeviceAttributes
  readonly capabilities: DeviceCapabilities
  onEvent: ((event: DeviceEvent) => void) | undefined

  constructor(environment: Environment, name: string) {
    const { binding } = environment
    super(
      environment,
      attempt(() => binding.openContext(name), { device: name }),
      `the device ${name}`,
    )
    const native = binding.contextAttributes(this.use())
    this.name = name
    this.transport = native.iwarp ? 'iwarp' : 'infiniband'
    this.guid = native.guid
    this.attributes = attributesOf(native)
    const memoryWindows = native.memoryWindowType2 && native.maxMemoryWindows > 0 && !native.iwarp
    this.capabilities = Object.freeze({
      immediateData: !native.iwarp,
      atomics: native.atomics,
      memoryWindows,
      sendWithInvalidate: native.sendWithInvalidate && memoryWindows,
      receiverNotReady: !native.iwarp,
      acceptorSpeaksFirst: !native.iwarp,
    })
    // Events are taken from the device whether there is a callback or not.
    environment.dispatch.set(this.serial, this)
  }

  ports(): readonly Port[] {
    const native = attempt(() => this.environment.binding.contextAttributes(this.use()), {
      device: this.name,
    })
    return native.ports.map(portOf)
  }

  gids(): readonly Gid[] {
    const native = attempt(() => this.environment.binding.gids(this.use()), { device: this.name })
    return native.map((gid) => ({ ...gid, ...gidOrigin(this.name, gid) }))
  }

  allocateProtectionDomain(): ProtectionDomain {
    return new AddonProtectionDomain(this)
  }

  createCompletionChannel(options?: CompletionChannelOptions): CompletionChannel {
    return new AddonCompletionChannel(this, options)
  }

  dispatch(): void {
    // A callback may close everything.
    while (!this.closed) {
      const event = this.environment.binding.nextDeviceEvent(this.use())
      if (event === undefined) return
      const told = this.#eventOf(event)
      if (told.type === 'device-fatal') this.depart()
      else this.onEvent?.(told)
    }
  }

  depart(): void {
    if (this.closed) return
    this.environment.forget(this)
    this.close()
    // Also when the connection manager reported the removal: the kernel sends this event only for devices that it can
    // take from their users.
    process.nextTick(() => this.onEvent?.({ type: 'device-fatal', name: 'IBV_EVENT_DEVICE_FATAL' }))
  }

  #eventOf({ type, number, portNumber }: NativeDeviceEvent): DeviceEvent {
    const { name, event } = DEVICE_EVENTS[type] ?? { name: `IBV_EVENT_${type}`, event: 'other' as const }
    const subject = this.environment.subjects.get(number)?.deref()
    return {
      type: event,
      name,
      ...(subject instanceof AddonQueuePair && { queuePair: subject }),
      ...(subject instanceof AddonCompletionQueue && { completionQueue: subject }),
      ...(subject instanceof AddonSharedReceiveQueue && { sharedReceiveQueue: subject }),
      ...(PORT_EVENTS.has(type) && { portNumber }),
    }
  }
}

function attributesOf(native: NativeDevice): DeviceAttributes {
  return Object.freeze({
    firmwareVersion: native.firmwareVersion,
    vendorId: native.vendorId,
    vendorPartId: native.vendorPartId,
    maxQueuePairs: native.maxQueuePairs,
    maxWorkRequests: native.maxWorkRequests,
    maxEntries: native.maxEntries,
    maxCompletionQueues: native.maxCompletionQueues,
    maxCompletions: native.maxCompletions,
    completionVectors: native.completionVectors,
    maxMemoryRegions: native.maxMemoryRegions,
    maxRegionBytes: native.maxRegionBytes,
    maxProtectionDomains: native.maxProtectionDomains,
    maxResponderResources: native.maxResponderResources,
    maxInitiatorDepth: native.maxInitiatorDepth,
    maxMemoryWindows: native.maxMemoryWindows,
    maxSharedReceiveQueues: native.maxSharedReceiveQueues,
    maxSharedReceiveWorkRequests: native.maxSharedReceiveWorkRequests,
    maxSharedReceiveEntries: native.maxSharedReceiveEntries,
  })
}

function portOf(native: NativePort): Port {
  return {
    number: native.number,
    state: PORT_STATES[native.state] ?? 'nop',
    linkLayer: LINK_LAYERS[native.linkLayer] ?? 'unspecified',
    activeMtuBytes: native.activeMtuBytes,
    maxMessageBytes: native.maxMessageBytes,
  }
}
