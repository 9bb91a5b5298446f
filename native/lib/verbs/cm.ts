/** The connection manager: ids, and the events that happen to them (`rdma_cma.h`). */
import type { HostAddress } from '@netts/core'
import type { Device } from './device.js'
import type { QueuePair, QueuePairOptions } from './queue-pair.js'

/**
 * The most private data that fits into each message, in bytes, on every kind of device. From the kernel's
 * `ib_cm.h` and `cma.c`: a request carries 92 bytes, of which the CM takes 36; iWARP has room for more, but a
 * program that wants to run everywhere has not.
 */
export const PRIVATE_DATA_BYTES = {
  connect: 56,
  accept: 196,
  reject: 148,
} as const

/** What both ends agree on while connecting (`struct rdma_conn_param`). */
export interface ConnectionParameters {
  /**
   * Handed to the peer. At most {@link PRIVATE_DATA_BYTES} bytes. InfiniBand and RoCE pad it with zeros to the
   * maximum, so it has to say its own length.
   * @default none
   */
  readonly privateData?: Uint8Array
  /** Reads and atomics that the peer may have in progress here. @default 1 */
  readonly responderResources?: number
  /** Reads and atomics that may be in progress from here. @default 1 */
  readonly initiatorDepth?: number
  /**
   * How often an unanswered packet is sent again, from 0 to 7. Without effect on iWARP, and for `accept`, which
   * takes the connector's.
   * @default 7
   */
  readonly retryCount?: number
  /** How often to try again after receiver-not-ready, from 0 to 7; 7 means for ever. @default 6 */
  readonly rnrRetryCount?: number
}

/** Where to resolve. Addresses are IP literals: looking names up is not the connection manager's business. */
export interface ResolveOptions {
  readonly destination: HostAddress
  /** The local address to leave from. @default the kernel's choice */
  readonly source?: HostAddress
  readonly timeoutMs: number
}

/** What happened to a {@link CmId} (`enum rdma_cm_event_type`). */
export type CmEvent =
  | { readonly type: 'address-resolved' }
  | { readonly type: 'route-resolved' }
  | CmFailureEvent
  | CmConnectRequestEvent
  | CmRejectedEvent
  | CmEstablishedEvent
  /**
   * The peer disconnected, or the connection broke; also the answer to one's own {@link CmId.disconnect}, which on
   * InfiniBand and RoCE comes only once the peer disconnected too. The queue pair is in the state `error`; what the peer
   * had been told is delivered is in the completion queue.
   */
  | { readonly type: 'disconnected' }
  /** The device goes away. Close everything on it. */
  | { readonly type: 'device-removal' }
  /** The address moved to another device. The connection may still work. */
  | { readonly type: 'address-change' }
  /** The queue pair's number may be used again. InfiniBand and RoCE only. */
  | { readonly type: 'timewait-exit' }

/** A step failed. The id can be closed, and nothing else; connecting anew takes a new one. */
export interface CmFailureEvent {
  readonly type: 'address-error' | 'route-error' | 'connect-error' | 'unreachable'
  /** The errno's name, such as `ETIMEDOUT`, `ECONNREFUSED` or `ENODEV`. */
  readonly status: string
}

/** Someone wants to connect to a listening id. */
export interface CmConnectRequestEvent {
  readonly type: 'connect-request'
  /**
   * The id of the new connection: create a queue pair on it, post receives, and {@link CmId.accept}; or
   * {@link CmId.reject}. Assign its `onEvent` within this callback.
   */
  readonly id: CmId
  /** A copy of what arrived; padded with zeros on InfiniBand and RoCE. */
  readonly privateData: Uint8Array
  /** What the peer offers as `initiatorDepth`: answer with no more as `responderResources`. */
  readonly responderResources: number
  /** What the peer can take: answer with no more as `initiatorDepth`. */
  readonly initiatorDepth: number
}

/** The peer said no. */
export interface CmRejectedEvent {
  readonly type: 'rejected'
  /**
   * `listener` when a program there called {@link CmId.reject}; `nobody-listening`; or `other`, such as a stale
   * connection or no resources.
   */
  readonly reason: 'listener' | 'nobody-listening' | 'other'
  /** The CM's own number: an `ib_cm_rej_reason` on InfiniBand and RoCE, an errno on iWARP. */
  readonly status: number
  readonly privateData: Uint8Array
}

/** The connection is up: the queue pair is `ready-to-send`. */
export interface CmEstablishedEvent {
  readonly type: 'established'
  /** For the connecting side, what the other said in {@link CmId.accept}; else empty. */
  readonly privateData: Uint8Array
}

/** An id of the connection manager (`rdma_cm_id`): the local end of a connection, or a listener. */
export interface CmId extends Disposable {
  /**
   * Called for each event, one at a time, in order. Events that come while it is `undefined` are kept until it is
   * assigned.
   */
  onEvent: ((event: CmEvent) => void) | undefined
  /** The device the connection runs over: known from `address-resolved` or `connect-request` on. */
  readonly device: Device | undefined
  /** The queue pair made by {@link createQueuePair}. */
  readonly queuePair: QueuePair | undefined
  /** Known once resolved, bound or requested. */
  readonly localAddress: HostAddress | undefined
  readonly remoteAddress: HostAddress | undefined
  /** Ends with `address-resolved` or `address-error`. @throws NettsError for misuse only */
  resolveAddress(options: ResolveOptions): void
  /** Ends with `route-resolved` or `route-error`. @throws NettsError for misuse only */
  resolveRoute(timeoutMs: number): void
  /**
   * How long a packet may stay unacknowledged before it is sent again: 4.096 µs × 2^`exponent`, 0 to 31, where 0
   * waits for ever (`RDMA_OPTION_ID_ACK_TIMEOUT`). To be called before {@link resolveRoute} or
   * {@link accept}. Without effect on iWARP, where TCP does this.
   */
  setAckTimeout(exponent: number): void
  /**
   * Which class of traffic the connection is of, from 0 to 255: the byte that the IP header calls ToS, DSCP and ECN bits
   * (`RDMA_OPTION_ID_TOS`). RoCE networks that rely on priority flow control or ECN map it to a priority. To be called
   * before {@link resolveRoute}; a listener's holds for what it accepts.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  setTrafficClass(trafficClass: number): void
  /**
   * Makes the queue pair, in state `init`, on {@link device}. Receives can be posted before connecting.
   * @throws NettsError `ERR_NETTS_INVALID_STATE` without a device, or when there is one already;
   *   `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_VERBS`
   */
  createQueuePair(options: QueuePairOptions): QueuePair
  /**
   * Asks the peer. Ends with `established`, `rejected`, `unreachable` or `connect-error`; never blocks, and
   * network failures always come as an event, also where the kernel reports them at once (iWARP).
   * @throws NettsError for misuse only, such as too much private data
   */
  connect(parameters?: ConnectionParameters): void
  /** Binds a listener to a local address; port 0 takes a free one. @throws NettsError `ERR_NETTS_VERBS` */
  bindAddress(address: HostAddress): void
  /**
   * Listens; requests come as `connect-request`.
   * @param backlog requests that may wait in the kernel
   * @throws NettsError `ERR_NETTS_VERBS`
   */
  listen(backlog: number): void
  /**
   * Accepts the request this id came with. Ends with `established`, `unreachable`, `connect-error` or
   * `disconnected`. @throws NettsError for misuse; `ERR_NETTS_VERBS` when the peer has gone meanwhile
   */
  accept(parameters?: ConnectionParameters): void
  /** Refuses the request this id came with. The id can only be closed then. Never fails for a peer that left. */
  reject(privateData?: Uint8Array): void
  /** Tells the CM what `communication-established` said (`rdma_notify`). Harmless when it knows already. */
  notifyEstablished(): void
  /**
   * Disconnects: the queue pair goes to `error` at once, the peer's with its `disconnected`. Idempotent, and does
   * nothing where there is no connection.
   *
   * On iWARP, after {@link connect} and before its end, it only gives up on a host that has not answered at all for a
   * second, and may have to be called more than once for that: the attempt then ends with `connect-error`.
   */
  disconnect(): void
  /**
   * Keeps the process alive while it waits for events. Not counted; {@link unref} undoes it. Neither does anything
   * once it is closed. @default not
   */
  ref(): void
  unref(): void
  /**
   * Closes the queue pair first, then the id. A pending request is rejected, a connection disconnected. No event
   * comes afterwards.
   *
   * On iWARP, between {@link connect} and the event that ends it, this blocks the thread until the peer has
   * answered, as the kernel does (`iw_destroy_cm_id`; siw gives up after 10 s, `MPAREQ_TIMEOUT`). Wait for the event
   * first, as endpoints do. A host that is silent altogether is given up after a second.
   */
  close(): void
}
