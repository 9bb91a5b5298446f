/** The connection manager: ids, and the events that happen to them (`rdma_cma.h`, `rdma_cm(7)`). */
import type { HostAddress } from '@netts/core'
import type { Device } from './device.js'
import type { QueuePair, QueuePairOptions } from './queue-pair.js'

/**
 * The most private data that each message can carry on every kind of device, in bytes. `accept` and `reject` are
 * `IB_CM_REP_PRIVATE_DATA_SIZE` and `IB_CM_REJ_PRIVATE_DATA_SIZE` of the kernel's `ib_cm.h`. `connect` is
 * `IB_CM_REQ_PRIVATE_DATA_SIZE`, 92, less the 36 of `struct cma_hdr` in `cma.c`. iWARP has room for more, which is not
 * offered, so that a program works the same on every device.
 */
export const PRIVATE_DATA_BYTES = {
  /** In {@link CmId.connect}. */
  connect: 56,
  /** In {@link CmId.accept}. */
  accept: 196,
  /** In {@link CmId.reject}. */
  reject: 148,
} as const

/** What one end asks of the connection (`struct rdma_conn_param`, `rdma_connect(3)`). */
export interface ConnectionParameters {
  /**
   * Bytes for the peer's program, copied by the call. At most {@link PRIVATE_DATA_BYTES} of the message. InfiniBand and
   * RoCE pad it with zeros to the maximum, so it has to contain its own length.
   * @default none
   */
  readonly privateData?: Uint8Array
  /** Reads and atomics from the peer that may be in progress here at a time. 0 to 255. @default 1 */
  readonly responderResources?: number
  /** Reads and atomics from here that may be in progress at a time. 0 to 255. @default 1 */
  readonly initiatorDepth?: number
  /**
   * How often a packet is sent again when no acknowledgement came, 0 to 7; see {@link CmId.setAckTimeout}. The
   * connector's number holds for both ends; that of `accept` has no effect. No effect on iWARP.
   * @default 7
   */
  readonly retryCount?: number
  /**
   * How often the peer may repeat a Send for which no receive was posted here, 0 to 7, where 7 is without end. After
   * that, its Send fails with `CompletionStatus.rnrRetryExceeded`. No effect on iWARP.
   * @default 6
   */
  readonly rnrRetryCount?: number
}

/** Options of {@link CmId.resolveAddress}. Hosts are IP addresses: the connection manager does not look up names. */
export interface ResolveOptions {
  /** The peer's address. */
  readonly destination: HostAddress
  /** The local address to connect from; port 0 takes a free one. @default the kernel's choice, from its routes */
  readonly source?: HostAddress
  /** After so many milliseconds `address-error` comes, with `ETIMEDOUT`. 1 to 2^31 - 1. */
  readonly timeoutMs: number
}

/** What happened to a {@link CmId} (`enum rdma_cm_event_type`, `rdma_get_cm_event(3)`). */
export type CmEvent =
  /** {@link CmId.resolveAddress} found the device, and the local and remote address. */
  | { readonly type: 'address-resolved' }
  /** {@link CmId.resolveRoute} found the route: {@link CmId.connect} may be called. */
  | { readonly type: 'route-resolved' }
  | CmFailureEvent
  | CmConnectRequestEvent
  | CmRejectedEvent
  | CmEstablishedEvent
  /**
   * The peer disconnected, or the connection broke. It is also the answer to this end's own {@link CmId.disconnect},
   * which on InfiniBand and RoCE comes only once the peer has disconnected too. The queue pair is in the state `error`.
   * Whatever was reported to the peer as delivered is in the completion queue by now.
   */
  | { readonly type: 'disconnected' }
  /** The device is being removed. Close everything on it. */
  | { readonly type: 'device-removal' }
  /** The local address moved to another device. The connection may still work. */
  | { readonly type: 'address-change' }
  /** The queue pair has left the state TIMEWAIT: its number may be used again. InfiniBand and RoCE only. */
  | { readonly type: 'timewait-exit' }

/** A step failed. The id can only be closed now; another attempt takes a new id. */
export interface CmFailureEvent {
  /**
   * Which step: resolving the address, resolving the route, or connecting. `unreachable` is a peer that did not answer,
   * `connect-error` any other failure to connect or to accept.
   */
  readonly type: 'address-error' | 'route-error' | 'connect-error' | 'unreachable'
  /** The errno's name, such as `ETIMEDOUT`, `ECONNREFUSED` or `ENODEV`. */
  readonly status: string
}

/** A client wants to connect to a listening id. */
export interface CmConnectRequestEvent {
  /** Tells the event from others. */
  readonly type: 'connect-request'
  /**
   * The id of the new connection, which belongs to the receiver of the event. Create a queue pair on it, post receives,
   * and call {@link CmId.accept}; or call {@link CmId.reject}. Assign its `onEvent` within this callback, and close it
   * in the end.
   */
  readonly id: CmId
  /** A copy of what the client sent; on InfiniBand and RoCE padded with zeros to `PRIVATE_DATA_BYTES.connect`. */
  readonly privateData: Uint8Array
  /** The client's `initiatorDepth`: accept with no more than this as `responderResources`. */
  readonly responderResources: number
  /** The client's `responderResources`: accept with no more than this as `initiatorDepth`. */
  readonly initiatorDepth: number
}

/** The connection request was refused. The id can only be closed now. */
export interface CmRejectedEvent {
  /** Tells the event from others. */
  readonly type: 'rejected'
  /**
   * Who refused: `listener`, a program that called {@link CmId.reject}; `nobody-listening`, the peer's connection
   * manager for want of a listener; `other`, such as a stale connection or missing resources. On iWARP a port without a
   * listener is a `connect-error` with `ECONNREFUSED` instead.
   */
  readonly reason: 'listener' | 'nobody-listening' | 'other'
  /** The CM's own number: `enum ib_cm_rej_reason` on InfiniBand and RoCE, a positive errno on iWARP. */
  readonly status: number
  /**
   * A copy of what the peer gave to {@link CmId.reject}; on InfiniBand and RoCE padded with zeros to
   * `PRIVATE_DATA_BYTES.reject`.
   */
  readonly privateData: Uint8Array
}

/** The connection is up: the queue pair is `ready-to-send`. */
export interface CmEstablishedEvent {
  /** Tells the event from others. */
  readonly type: 'established'
  /**
   * For the connector a copy of what the peer gave to {@link CmId.accept}; on InfiniBand and RoCE padded with zeros to
   * `PRIVATE_DATA_BYTES.accept`. For the acceptor it is empty.
   */
  readonly privateData: Uint8Array
}

/**
 * An id of the connection manager (`rdma_cm_id`): the local end of a connection, or a listener.
 *
 * A client calls {@link resolveAddress}, {@link resolveRoute}, {@link createQueuePair} and {@link connect}, each after
 * the event of the one before. A server calls {@link bindAddress} and {@link listen}. Every method but `close`, `ref`
 * and `unref` throws `ERR_NETTS_INVALID_STATE` once the id is closed.
 */
export interface CmId extends Disposable {
  /**
   * Called from the event loop for each event, one at a time, in order. Events that come while it is `undefined` are
   * kept until it is assigned.
   */
  onEvent: ((event: CmEvent) => void) | undefined
  /** The device the connection runs over: known from `address-resolved` or `connect-request` on. */
  readonly device: Device | undefined
  /** What {@link createQueuePair} made, also when it has been closed. */
  readonly queuePair: QueuePair | undefined
  /** Known once resolved, bound or requested; with the port that was chosen for 0. */
  readonly localAddress: HostAddress | undefined
  /** The peer's address: known once resolved or requested. */
  readonly remoteAddress: HostAddress | undefined
  /**
   * Looks for the device and the route to an address (`rdma_resolve_addr`). Ends with `address-resolved` or
   * `address-error`.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_INVALID_STATE` unless the id is new or bound;
   *   `ERR_NETTS_VERBS` when the kernel refuses at once
   */
  resolveAddress(options: ResolveOptions): void
  /**
   * Asks for the path to the peer (`rdma_resolve_route`). Ends with `route-resolved` or `route-error`.
   * @param timeoutMs milliseconds until `route-error`, 1 to 2^31 - 1
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_INVALID_STATE` before `address-resolved`;
   *   `ERR_NETTS_VERBS` when the kernel refuses at once
   */
  resolveRoute(timeoutMs: number): void
  /**
   * Sets how long a packet may stay unacknowledged before it is sent again (`RDMA_OPTION_ID_ACK_TIMEOUT`). Call it
   * before {@link resolveRoute} or {@link accept}. No effect on iWARP, where TCP decides.
   * @param exponent 0 to 31: the time is 4.096 µs × 2^`exponent`, and 0 waits without end
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  setAckTimeout(exponent: number): void
  /**
   * Sets the class of the connection's traffic: the byte that the IP header calls ToS, or DSCP and ECN
   * (`RDMA_OPTION_ID_TOS`). RoCE networks with priority flow control or ECN map it to a priority. Call it before
   * {@link resolveRoute}; a listener's holds for the connections that it accepts.
   * @param trafficClass 0 to 255
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_VERBS`
   */
  setTrafficClass(trafficClass: number): void
  /**
   * Makes the queue pair on {@link device}, in the state `init`: receives can be posted before the connection exists.
   * It is closed with this id.
   * @throws NettsError `ERR_NETTS_INVALID_STATE` without a device, or when there is an open one already;
   *   `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_VERBS`
   */
  createQueuePair(options: QueuePairOptions): QueuePair
  /**
   * Sends the connection request (`rdma_connect`). Ends with `established`, `rejected`, `unreachable` or
   * `connect-error`. It does not block, also on iWARP, where the kernel's call does.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, such as for too much private data; `ERR_NETTS_INVALID_STATE`
   *   before `route-resolved`, or without a queue pair; `ERR_NETTS_VERBS` when the kernel refuses at once
   */
  connect(parameters?: ConnectionParameters): void
  /**
   * Binds the id to a local address (`rdma_bind_addr`); port 0 takes a free one. `0.0.0.0` and `::` are every RDMA
   * interface.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_INVALID_STATE` unless the id is new; `ERR_NETTS_VERBS`,
   *   such as with the cause `EADDRINUSE`, `EADDRNOTAVAIL` or `ENODEV`
   */
  bindAddress(address: HostAddress): void
  /**
   * Listens (`rdma_listen`): each request comes as `connect-request`.
   * @param backlog requests that may wait in the kernel, 1 to 2^31 - 1
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_INVALID_STATE` before {@link bindAddress};
   *   `ERR_NETTS_VERBS`
   */
  listen(backlog: number): void
  /**
   * Accepts the request that this id came with (`rdma_accept`). Ends with `established`, `unreachable`,
   * `connect-error` or `disconnected`.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_INVALID_STATE` for an id of no open request, or without
   *   a queue pair; `ERR_NETTS_VERBS` when the peer has given up meanwhile
   */
  accept(parameters?: ConnectionParameters): void
  /**
   * Refuses the request that this id came with (`rdma_reject`); the id can only be closed then. A peer that has given
   * up meanwhile is no error.
   * @param privateData for the peer's {@link CmRejectedEvent}, at most `PRIVATE_DATA_BYTES.reject`. @default none
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`; `ERR_NETTS_INVALID_STATE` for an id of no open request
   */
  reject(privateData?: Uint8Array): void
  /**
   * Passes a device's `communication-established` on to the connection manager (`rdma_notify`), which then takes the
   * connection for established. No effect when it already is.
   */
  notifyEstablished(): void
  /**
   * Disconnects (`rdma_disconnect`): the queue pair goes to `error` at once, the peer's with its `disconnected`.
   * Idempotent, and without effect when there is no connection.
   *
   * On iWARP, between {@link connect} and the event that ends it, the kernel cannot be interrupted unless the host has
   * not answered at all for a second: only then this ends the attempt, with `connect-error`. It may have to be called
   * again until that event comes.
   */
  disconnect(): void
  /**
   * Keeps the process alive while the id is open. A new id does not. Calls are not counted: one {@link unref} undoes
   * any number of them. No effect on a closed id.
   */
  ref(): void
  /** Lets the process end although the id is open. */
  unref(): void
  /**
   * Closes the queue pair, then the id (`rdma_destroy_id`). A request that was not answered is rejected, a connection
   * is disconnected. No event comes afterwards. Idempotent.
   *
   * On iWARP, between {@link connect} and the event that ends it, this blocks the thread until the peer has answered,
   * as the kernel does (`iw_destroy_cm_id`; siw gives up after 10 s, `MPAREQ_TIMEOUT`). Wait for the event first, as
   * endpoints do. A host that does not answer at all is given up after a second.
   */
  close(): void
}
