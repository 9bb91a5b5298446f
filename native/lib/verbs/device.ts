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
  /** Memory windows of type 2, bound by a work request, whose key works on that queue pair alone. */
  readonly memoryWindows: boolean
  /** `sendWithInvalidate`: what it invalidates is a window, so that there is none without them. */
  readonly sendWithInvalidate: boolean
  /** A missing receive makes the sender try again. Where false (iWARP), it ends the connection. */
  readonly receiverNotReady: boolean
  /** Whether the accepting side may be the first to send. False on iWARP. */
  readonly acceptorSpeaksFirst: boolean
}

/** State of a port (`enum ibv_port_state`); only `active` carries traffic. */
export type PortState = 'nop' | 'down' | 'init' | 'armed' | 'active' | 'active-deferred'

/** A port of a device (`ibv_query_port`). */
export interface Port {
  /** From 1. */
  readonly number: number
  readonly state: PortState
  readonly linkLayer: 'infiniband' | 'ethernet' | 'unspecified'
  /** The RDMA MTU in use, in bytes. */
  readonly activeMtuBytes: number
  /** The longest message, in bytes. */
  readonly maxMessageBytes: number
}

/** An entry of a port's table of global ids (`ibv_query_gid`): which addresses it can send from, and how. */
export interface Gid {
  /** The port's number. */
  readonly portNumber: number
  readonly index: number
  /** 128 bits as an IPv6 address; IPv4 ones as `::ffff:a.b.c.d`. */
  readonly address: string
  /** `undefined` where the kernel does not say: sysfs has it (`gid_attrs/types`). */
  readonly type: 'infiniband' | 'roce-v1' | 'roce-v2' | undefined
  /** The network interface that it belongs to, for RoCE and iWARP; `undefined` where the kernel does not say. */
  readonly networkInterface: string | undefined
}

/** What a {@link DeviceEvent} says (`enum ibv_event_type`, the ones that can reach a program like this). */
export type DeviceEventType =
  /** The completion queue overran, or failed; it is of no more use. */
  | 'cq-error'
  /** The queue pair failed without a work request to blame. */
  | 'qp-fatal'
  /** The peer asked for something invalid; the queue pair is in the error state. */
  | 'qp-request-error'
  /** The peer broke the access rules; the queue pair is in the error state. */
  | 'qp-access-error'
  /** The peer's first message came before its ESTABLISHED: call {@link CmId.notifyEstablished}. */
  | 'communication-established'
  | 'send-queue-drained'
  | 'last-receive-reached'
  | 'srq-error'
  /** Fewer receives are left than {@link SharedReceiveQueue.setLimit} asked for. */
  | 'srq-limit-reached'
  | 'port-active'
  | 'port-error'
  /** The device is gone for good: close everything on it. One of the same name that comes is another. */
  | 'device-fatal'
  | 'other'

/** An asynchronous event of a device (`ibv_get_async_event`). */
export interface DeviceEvent {
  readonly type: DeviceEventType
  /** The name in `infiniband/verbs.h`, such as `IBV_EVENT_QP_FATAL`. */
  readonly name: string
  /** What it is about, where that is an object that is still open. */
  readonly queuePair?: QueuePair
  readonly completionQueue?: CompletionQueue
  readonly sharedReceiveQueue?: SharedReceiveQueue
  /** The port's number for port events. */
  readonly portNumber?: number
}

/** An opened device (`ibv_context`). It belongs to {@link Verbs}, and is closed with it. */
export interface Device {
  /** Such as `mlx5_0` or `rxe0`. */
  readonly name: string
  /** `infiniband` covers RoCE too; a RoCE port's link layer is `ethernet`. */
  readonly transport: 'infiniband' | 'iwarp'
  /** The device's 64-bit id as 16 hexadecimal digits. */
  readonly guid: string
  readonly attributes: DeviceAttributes
  readonly capabilities: DeviceCapabilities
  /** Asks for the state of all ports now. @throws NettsError `ERR_NETTS_VERBS` */
  ports(): readonly Port[]
  /** The entries of all ports' GID tables that are in use, for diagnosis. @throws NettsError `ERR_NETTS_VERBS` */
  gids(): readonly Gid[]
  /** @throws NettsError `ERR_NETTS_VERBS` */
  allocateProtectionDomain(): ProtectionDomain
  /** @throws NettsError `ERR_NETTS_VERBS` */
  createCompletionChannel(options?: CompletionChannelOptions): CompletionChannel
  /**
   * Called once for each asynchronous event of the device, whichever object it is about, if that was made by this
   * thread; events of a port and of the device itself reach every thread. Events are taken and
   * acknowledged also while this is `undefined`. There is one: endpoints, and so the drivers, take it while they have
   * a connection over the device, and leave it `undefined`.
   */
  onEvent: ((event: DeviceEvent) => void) | undefined
}
