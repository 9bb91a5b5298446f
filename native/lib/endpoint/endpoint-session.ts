/** The interface between a driver and an endpoint, in both directions. */
import type { HostAddress, NettsError } from '@netts/core'
import type { CmId } from '../verbs/cm.js'
import type { Device } from '../verbs/device.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import type { Verbs } from '../verbs/verbs.js'
import type { PollingOptions } from './completion-loop.js'
import type { DeviceEnvironment } from './device-environment.js'
import type { ProtocolIdentity } from './hello.js'
import type { KeepAliveOptions } from './keep-alive.js'
import type { SlabNeed } from './spare-slabs.js'

/** Which end this is: the connector sends first. */
export type EndpointRole = 'connector' | 'acceptor'

/**
 * State of an {@link Endpoint}; it changes from left to right only. *handshaking*: until both ends have sent READY. *open*:
 * work requests may be posted. *draining*: what is outstanding is flushed, and nothing more is posted. *closed*:
 * everything was given back.
 */
export type EndpointState = 'handshaking' | 'open' | 'draining' | 'closed'

/**
 * One end of a connection: *handshaking* until both ends have sent READY; *open* while data may be posted; *draining*
 * from {@link Endpoint.close} or a failure on, while what is outstanding is flushed; *closed* when everything was given
 * back.
 */
export interface Endpoint {
  /** The verbs that it runs on. */
  readonly verbs: Verbs
  /** The device of the connection. */
  readonly device: Device
  /** Registered memory of the device, shared by its endpoints. The endpoint holds it until it is closed. */
  readonly environment: DeviceEnvironment
  /** A driver posts to it, and does nothing else with it: its state and its end are the endpoint's. */
  readonly queuePair: QueuePair
  /** Which end this is. */
  readonly role: EndpointRole
  /** This end's address. */
  readonly localAddress: HostAddress
  /** The peer's address. */
  readonly remoteAddress: HostAddress
  /** What {@link EndpointOptions.openSession} made; not available within that call. */
  readonly session: EndpointSession
  /** See {@link Endpoint}. */
  readonly state: EndpointState
  /** Keeps the process alive while the endpoint is not closed; a new one does. Calls are not counted. */
  ref(): void
  /** Lets the process end although the endpoint is open. */
  unref(): void
  /** To be called whenever the session has posted sends: their completions are then polled for soon. */
  posted(): void
  /**
   * Asks the peer's device for an answer, after everything that was posted so far: the answer says that all of it has
   * arrived there. Needed on iWARP, where a completed Send says only that the local TCP took it. To be called once, in
   * the state `open`.
   * @param onConfirmed called with the answer; not called if the connection ends before
   * @throws NettsError `ERR_NETTS_VERBS` when the device refuses
   */
  confirm(onConfirmed: () => void): void
  /**
   * Ends the connection: disconnects, waits until everything outstanding is flushed, gives everything back. Idempotent.
   * @param error why, for {@link EndpointSession.onEnd}. @default none: the driver finished, and `onEnd` is not called
   */
  close(error?: NettsError): void
}

/**
 * A driver's state machine for one connection. The endpoint calls it; it posts to `endpoint.queuePair` and ends the
 * connection with `endpoint.close`. Calls come in this order:
 *
 * - connector: `hello`, `onHello`, `ready`, `onReady`, `onOpen`;
 * - acceptor: `onHello`, `hello`, `onReady`, `ready`, `onOpen`;
 * - then completions and batch ends; at most once `onEnd`; `onDrained`; `onClosed`.
 *
 * A handshake that fails leads from any step to `onDrained` and `onClosed`; once the peer's hello was accepted,
 * completions come before.
 */
export interface EndpointSession {
  /** Returns the driver's part of this end's hello: at most `HELLO_BODY_BYTES`. */
  hello(): Uint8Array
  /**
   * Takes the driver's part of the peer's hello.
   * @param body a copy
   * @throws NettsError `ERR_NETTS_PROTOCOL` to refuse the peer, which an acceptor tells the message
   */
  onHello(body: Uint8Array): void
  /** Returns the driver's part of this end's READY: at most `READY_BODY_BYTES`. */
  ready(): Uint8Array
  /** Takes the driver's part of the peer's READY. @param body a copy @throws NettsError `ERR_NETTS_PROTOCOL` */
  onReady(body: Uint8Array): void
  /** The handshake is complete: data may be posted. */
  onOpen(): void
  /**
   * One of the driver's work requests completed: `COMPLETION` words from `at` on, valid for this call. It is also
   * called for those that failed or were flushed; the endpoint ends the connection for them.
   */
  onCompletion(words: Uint32Array, at: number): void
  /**
   * A batch of completions is over: the moment to post what they led to. It is also called for batches with completions
   * of the endpoint only.
   */
  onBatchEnd(): void
  /** The connection ended with an error. Everything that arrived was handed over before. */
  onEnd(error: NettsError): void
  /** No work request is going to complete any more: settle those that did not, and close memory windows. */
  onDrained(): void
  /** The queue pair is closed: memory may be given back. */
  onClosed(): void
}

/** What a driver wants of its endpoints. */
export interface EndpointOptions extends KeepAliveOptions {
  /** Number and version of the driver's protocol in the hello. */
  readonly identity: ProtocolIdentity
  /** How to wait for completions. */
  readonly polling: PollingOptions
  /** Send work requests of the driver that may be outstanding. The endpoint adds its own. */
  readonly maxSendWorkRequests: number
  /** Receives of the driver that may be outstanding. The endpoint adds its own. */
  readonly maxReceiveWorkRequests: number
  /** Entries of one send. */
  readonly maxSendEntries: number
  /** Entries of one receive. */
  readonly maxReceiveEntries: number
  /** Bytes of one inline send. Where the device has a lower limit, connections fail. */
  readonly maxInlineBytes: number
  /** The class of the traffic that this end sends, see {@link CmId.setTrafficClass}. @default the system's */
  readonly trafficClass?: number | undefined
  /**
   * The IP address that a connector connects from, which chooses the device when there are several.
   * @default the kernel's choice, from its routes
   */
  readonly localAddress?: string | undefined
  /**
   * Reads and atomics that may be in progress, in each direction; fewer if the device or the peer allows fewer. At
   * least 1, because keepalive on iWARP is a Read.
   */
  readonly maxReads: number
  /**
   * The slabs that {@link openSession} is going to register: they are registered before, on another thread.
   * @default none
   */
  slabs?(environment: DeviceEnvironment): readonly SlabNeed[]
  /**
   * Makes the session of an endpoint, whose queue pair exists: take memory, and post every receive now. When it throws
   * a NettsError, connecting rejects with it, and an acceptor refuses the request.
   */
  openSession(endpoint: Endpoint): EndpointSession
}
