/**
 * What the C++ addon exports: handles, numbers and plain objects. The classes in this folder make the interface of
 * `lib/verbs/` of it. Every function may throw a `NativeFailure`, see `failures.ts`.
 */
import type { HostAddress } from '@netts/core'
import type { Port } from '../verbs/device.js'
import type { QueuePairAttributes } from '../verbs/queue-pair.js'

/** A reference to a native object, given up by `close`, or when it is garbage-collected. */
export interface Handle {
  readonly __nettsHandle: unique symbol
}

/** A new native object. */
export interface Created {
  readonly handle: Handle
  /** Names the object in events; not used again in the process. */
  readonly number: number
  /** Names it in calls that run for each batch; 0 for objects that have none. */
  readonly callId: number
}

export interface NativeRegion extends Created {
  readonly id: number
  /** Of memory that the region owns. */
  readonly buffer?: ArrayBuffer
  readonly remoteAddress: bigint
  readonly remoteKey: number
}

/** New memory of so many bytes, memory over a SharedArrayBuffer, or part of a file. */
export type NativeMemory =
  | number
  | Uint8Array
  | { readonly fileDescriptor: number; readonly fileOffset: number; readonly byteLength: number }

export interface NativeWindow extends Created {
  readonly id: number
  readonly remoteKey: number
}

export interface NativeCompletionChannel extends Created {
  readonly buffer: ArrayBuffer
}

export interface NativeCompletionQueue extends Created {
  readonly maxCompletions: number
  readonly buffer: ArrayBuffer
}

export interface NativeSharedReceiveQueue extends Created {
  readonly maxWorkRequests: number
  readonly maxEntries: number
  readonly buffer: ArrayBuffer
}

export interface QueuePairLimits {
  readonly maxSendWorkRequests: number
  readonly maxReceiveWorkRequests: number
  readonly maxSendEntries: number
  readonly maxReceiveEntries: number
  readonly maxInlineBytes: number
}

export interface NativeQueuePair extends Created, QueuePairLimits {
  readonly queuePairNumber: number
  readonly sendBuffer: ArrayBuffer
  readonly receiveBuffer: ArrayBuffer
}

export interface NativePort extends Omit<Port, 'state' | 'linkLayer'> {
  /** `enum ibv_port_state` */
  readonly state: number
  /** `IBV_LINK_LAYER_…` */
  readonly linkLayer: number
}

export interface NativeGid {
  readonly portNumber: number
  readonly index: number
  readonly address: string
}

export interface NativeQueuePairAttributes extends Omit<QueuePairAttributes, 'state'> {
  /** `enum ibv_qp_state` */
  readonly state: number
}

export interface NativeDevice {
  readonly name: string
  readonly guid: string
  readonly iwarp: boolean
  readonly atomics: boolean
  readonly memoryWindowType2: boolean
  readonly sendWithInvalidate: boolean
  readonly firmwareVersion: string
  readonly vendorId: number
  readonly vendorPartId: number
  readonly maxQueuePairs: number
  readonly maxWorkRequests: number
  readonly maxEntries: number
  readonly maxCompletionQueues: number
  readonly maxCompletions: number
  readonly completionVectors: number
  readonly maxMemoryRegions: number
  readonly maxRegionBytes: number
  readonly maxProtectionDomains: number
  readonly maxResponderResources: number
  readonly maxInitiatorDepth: number
  readonly maxMemoryWindows: number
  readonly maxSharedReceiveQueues: number
  readonly maxSharedReceiveWorkRequests: number
  readonly maxSharedReceiveEntries: number
  readonly ports: readonly NativePort[]
}

/** What the machine has, see `src/loader/probe.cc`. An errno of 0 means success. */
export interface Probe {
  readonly librariesLoaded: boolean
  readonly libraryError: string
  /** This and the following only when the libraries were loaded. */
  readonly deviceListErrno?: number
  readonly devices?: readonly NativeDevice[]
  readonly openErrno?: number
  readonly openDevice?: string
  readonly cmErrno?: number
  readonly pinErrno?: number
}

export interface NativeConnectionParameters {
  readonly privateData?: Uint8Array | undefined
  readonly responderResources: number
  readonly initiatorDepth: number
  readonly retryCount: number
  readonly rnrRetryCount: number
}

export interface NativeCmEvent {
  /** `enum rdma_cm_event_type` */
  readonly type: number
  readonly status: number
  readonly privateData: Uint8Array
  readonly responderResources: number
  readonly initiatorDepth: number
  /** The new connection's id, of a connect request. */
  readonly request?: Created
}

/** The device of an id. */
export interface NativeCmDevice {
  readonly name: string
  /** {@link Created.number} of its open context; 0 when it is not open. */
  readonly context: number
}

export interface NativeDeviceEvent {
  /** `enum ibv_event_type` */
  readonly type: number
  /** {@link Created.number} of the object that it is about; 0 for ports and the device. */
  readonly number: number
  readonly portNumber: number
}

export interface NativeBinding {
  readonly layout: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** @param pinBytes tries to register so much on each device; 0 does not */
  probe(pinBytes: number): Probe
  /** Sets the function that is called with the number of each object that has events. */
  setDispatcher(dispatcher: (number: number) => void): void
  close(handle: Handle): void
  /** Closes everything in this environment, in the right order. */
  closeAll(): void
  /** How many are open, by `enum ResourceKind` of `src/env_state.h`. */
  counts(): readonly number[]
  pinnedBytes(): number

  openContext(deviceName: string): Created
  contextAttributes(context: Handle): NativeDevice
  /** Entries that are not zero. */
  gids(context: Handle): readonly NativeGid[]
  nextDeviceEvent(context: Handle): NativeDeviceEvent | undefined

  allocateProtectionDomain(context: Handle): Created
  registerRegion(domain: Handle, memory: NativeMemory, access: number): NativeRegion
  registerRegionAsync(domain: Handle, memory: NativeMemory, access: number): Promise<NativeRegion>
  allocateMemoryWindow(domain: Handle): NativeWindow

  createCompletionChannel(context: Handle, batch: number): NativeCompletionChannel
  setChannelRef(channel: Handle, on: boolean): void
  createCompletionQueue(
    channel: Handle,
    maxCompletions: number,
    batch: number,
    vector: number,
  ): NativeCompletionQueue
  pollChannel(channelCallId: number, spinMicroseconds: number): number
  armChannel(channelCallId: number): number
  poll(queueCallId: number, spinMicroseconds: number): number
  /** @param solicitedOnly 1 for solicited completions only, 0 for all */
  arm(queueCallId: number, solicitedOnly: 0 | 1): void

  createSharedReceiveQueue(
    domain: Handle,
    maxWorkRequests: number,
    maxEntries: number,
  ): NativeSharedReceiveQueue
  postSharedReceive(queueCallId: number, first: number, count: number): number
  setSharedReceiveLimit(queue: Handle, limit: number): void

  createQueuePair(
    id: Handle,
    domain: Handle,
    sendQueue: Handle,
    receiveQueue: Handle,
    sharedQueue: Handle | undefined,
    limits: QueuePairLimits,
  ): NativeQueuePair
  postSend(pairCallId: number, first: number, count: number): number
  postReceive(pairCallId: number, first: number, count: number): number
  /** `enum ibv_qp_state` */
  queuePairState(pair: Handle): number
  queuePairAttributes(pair: Handle): NativeQueuePairAttributes
  moveToError(pair: Handle): void
  setMinRnrTimer(pair: Handle, code: number): void

  createCmChannel(): Created
  createCmId(channel: Handle): Created
  nextCmEvent(id: Handle): NativeCmEvent | undefined
  setCmRef(id: Handle, on: boolean): void
  cmDevice(id: Handle): NativeCmDevice | undefined
  cmLocalAddress(id: Handle): HostAddress | undefined
  cmRemoteAddress(id: Handle): HostAddress | undefined
  resolveAddress(
    id: Handle,
    host: string,
    port: number,
    sourceHost: string | undefined,
    sourcePort: number,
    timeoutMs: number,
  ): void
  resolveRoute(id: Handle, timeoutMs: number): void
  setAckTimeout(id: Handle, exponent: number): void
  setTrafficClass(id: Handle, trafficClass: number): void
  bindAddress(id: Handle, host: string, port: number): void
  listen(id: Handle, backlog: number): void
  connect(id: Handle, parameters: NativeConnectionParameters): void
  accept(id: Handle, parameters: NativeConnectionParameters): void
  reject(id: Handle, privateData: Uint8Array): void
  notifyEstablished(id: Handle): void
  disconnect(id: Handle): void
}
