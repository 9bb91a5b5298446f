/** Devices: what they can do, their ports, their events, and what is made from them. */
import type { CompletionChannel, CompletionChannelOptions, CompletionQueue } from './completion-queue.js'
import type { DeviceAttributes } from './device-attributes.js'
import type { ProtectionDomain } from './protection-domain.js'
import type { QueuePair } from './queue-pair.js'
import type { SharedReceiveQueue } from './shared-receive-queue.js'

/** What works on a device. */
export interface DeviceCapabilities {
  /** Send and Write with immediate data. False on iWARP. */
  readonly immediateData: boolean
  /** Compare-and-swap and fetch-and-add. */
  readonly atomics: boolean
  /** Memory windows of type 2, which a work request binds, and whose key is good for that queue pair only. */
  readonly memoryWindows: boolean
  /** `SendOpcode.sendWithInvalidate`. It invalidates the key of a window, so it needs {@link memoryWindows}. */
  readonly sendWithInvalidate: boolean
  /** When no receive is posted, the sender tries again. Where false (iWARP), the connection ends. */
  readonly receiverNotReady: boolean
  /** Whether the accepting side may be the first to send. False on iWARP. */
  readonly acceptorSpeaksFirst: boolean
}

/** State of a port (`enum ibv_port_state`). Only an `active` port carries traffic. */
export type PortState = 'nop' | 'down' | 'init' | 'armed' | 'active' | 'active-deferred'

/** A port of a device (`ibv_query_port`). */
export interface Port {
  /** From 1 on. */
  readonly number: number
  /** The state when the port was asked. */
  readonly state: PortState
  /** `ethernet` for RoCE and iWARP; `unspecified` where the device does not say. */
  readonly linkLayer: 'infiniband' | 'ethernet' | 'unspecified'
  /** The RDMA MTU in use, in bytes. */
  readonly activeMtuBytes: number
  /** The longest message, in bytes. */
  readonly maxMessageBytes: number
}

/** An entry of a port's table of global ids (`ibv_query_gid`): which addresses it can send from, and how. */
export interface Gid {
  /** {@link Port.number} */
  readonly portNumber: number
  /** Its place in the port's table, from 0 on. */
  readonly index: number
  /** The 128 bits written as an IPv6 address; an IPv4 address as `::ffff:a.b.c.d`. */
  readonly address: string
  /** From sysfs (`ports/N/gid_attrs/types`); `undefined` where the kernel does not say. */
  readonly type: 'infiniband' | 'roce-v1' | 'roce-v2' | undefined
  /** The network interface that it belongs to, for RoCE and iWARP; `undefined` where the kernel does not say. */
  readonly networkInterface: string | undefined
}

/** What a {@link DeviceEvent} says (`enum ibv_event_type`, the ones that can reach a program like this). */
export type DeviceEventType =
  /** The completion queue overran, or failed; it is of no more use. */
  | 'cq-error'
  /** The queue pair failed, and no work request of it is the cause. */
  | 'qp-fatal'
  /** The peer asked for something invalid; the queue pair is in the error state. */
  | 'qp-request-error'
  /** The peer broke the access rules; the queue pair is in the error state. */
  | 'qp-access-error'
  /** The peer's first message came before its ESTABLISHED: call {@link CmId.notifyEstablished}. */
  | 'communication-established'
  /** The send queue has completed what was outstanding when it was told to drain. */
  | 'send-queue-drained'
  /** A queue pair in the error state takes no more receives from its shared receive queue. */
  | 'last-receive-reached'
  /** The shared receive queue failed; it is of no more use. */
  | 'srq-error'
  /** Fewer receives are left than {@link SharedReceiveQueue.setLimit} asked for. */
  | 'srq-limit-reached'
  /** The port became active. */
  | 'port-active'
  /** The port is not active any more. */
  | 'port-error'
  /** The device is gone for good: close everything on it. A device that comes back under its name is another object. */
  | 'device-fatal'
  /** Any other; see {@link DeviceEvent.name}. */
  | 'other'

/** An asynchronous event of a device (`ibv_get_async_event`). */
export interface DeviceEvent {
  /** What happened. */
  readonly type: DeviceEventType
  /** The event's name in `infiniband/verbs.h`, such as `IBV_EVENT_QP_FATAL`. */
  readonly name: string
  /** The queue pair that it is about, if that is still open. */
  readonly queuePair?: QueuePair
  /** The completion queue that it is about, if that is still open. */
  readonly completionQueue?: CompletionQueue
  /** The shared receive queue that it is about, if that is still open. */
  readonly sharedReceiveQueue?: SharedReceiveQueue
  /** {@link Port.number}, for events about a port. */
  readonly portNumber?: number
}

/**
 * An opened device (`ibv_context`). It belongs to {@link Verbs}, and is closed with it. Once it was removed, its
 * methods throw `ERR_NETTS_INVALID_STATE` or `ERR_NETTS_VERBS`.
 */
export interface Device {
  /** The kernel's name for it, such as `mlx5_0` or `rxe0`. */
  readonly name: string
  /** `infiniband` covers RoCE too; a RoCE port's link layer is `ethernet`. */
  readonly transport: 'infiniband' | 'iwarp'
  /** The device's 64-bit id as 16 hexadecimal digits. */
  readonly guid: string
  /** Its limits, asked once when it was opened. */
  readonly attributes: DeviceAttributes
  /** What works on it. */
  readonly capabilities: DeviceCapabilities
  /** The state of all ports, asked now (`ibv_query_port`). @throws NettsError `ERR_NETTS_VERBS` */
  ports(): readonly Port[]
  /** The entries in use of all ports' GID tables, for diagnosis. @throws NettsError `ERR_NETTS_VERBS` */
  gids(): readonly Gid[]
  /** Makes a protection domain (`ibv_alloc_pd`), which the caller closes. @throws NettsError `ERR_NETTS_VERBS` */
  allocateProtectionDomain(): ProtectionDomain
  /**
   * Makes a completion channel (`ibv_create_comp_channel`), which the caller closes.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  createCompletionChannel(options?: CompletionChannelOptions): CompletionChannel
  /**
   * Called from the event loop once for each asynchronous event. Events about an object come if this thread made it;
   * events about a port or the device come to every thread. While this is `undefined`, events are taken from the kernel
   * and dropped. There is one such callback: endpoints, and so the drivers, assign it while they have a connection over
   * the device, and set it to `undefined` afterwards.
   */
  onEvent: ((event: DeviceEvent) => void) | undefined
}
