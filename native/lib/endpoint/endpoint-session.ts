/** What a driver brings to an endpoint, and what it has of it. */
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

/** Which end this is: the connector speaks first. */
export type EndpointRole = 'connector' | 'acceptor'

/** From left to right, and never back; see {@link Endpoint}. */
export type EndpointState = 'handshaking' | 'open' | 'draining' | 'closed'

/**
 * One end of a connection: *handshaking* until both ends have said READY; *open*, when data may be posted; *draining*
 * from {@link Endpoint.close} or a failure on, while what is outstanding is flushed; *closed* when all is given back.
 */
export interface Endpoint {
  readonly verbs: Verbs
  readonly device: Device
  /** Registered memory of the device, shared by its endpoints. The endpoint holds it until it is closed. */
  readonly environment: DeviceEnvironment
  /** The endpoint's: a driver posts to it, and leaves its state and its end alone. */
  readonly queuePair: QueuePair
  readonly role: EndpointRole
  readonly localAddress: HostAddress
  readonly remoteAddress: HostAddress
  /** What {@link EndpointOptions.openSession} made. */
  readonly session: EndpointSession
  readonly state: EndpointState
  /** Keeps the process alive, as it does from the beginning. */
  ref(): void
  /** Lets the process end although this is open. */
  unref(): void
  /** The session posted sends: what they lead to is soon looked for. */
  posted(): void
  /**
   * Asks the peer's device for an answer behind everything that was posted so far: with it, all of that has arrived
   * there. On iWARP a completed Send says only that the local TCP took it. Once per endpoint, while it is open.
   * @param onConfirmed not called when the connection ends before
   * @throws NettsError `ERR_NETTS_VERBS` when the device refuses
   */
  confirm(onConfirmed: () => void): void
  /**
   * Ends it: disconnects, waits until everything outstanding is flushed, gives everything back. Idempotent.
   * @param error why. A driver that finished properly gives none, and none is reported
   */
  close(error?: NettsError): void
}

/**
 * A driver's state machine for one connection. The endpoint calls it; it posts to `endpoint.queuePair` and ends the
 * connection by `endpoint.close`. Calls come in this order:
 *
 * connector: `hello`, `onHello`, `ready`, `onReady`, `onOpen`;
 * acceptor: `onHello`, `hello`, `onReady`, `ready`, `onOpen`;
 * then completions and batch ends; at most once `onEnd`; `onDrained`; `onClosed`.
 * A failed handshake leads from anywhere to `onDrained` (unless it was never connected) and `onClosed`.
 */
export interface EndpointSession {
  /** Its own part of the hello: at most `HELLO_BODY_BYTES`. */
  hello(): Uint8Array
  /**
   * The peer's part.
   * @throws NettsError `ERR_NETTS_PROTOCOL` to refuse the peer; the message reaches it as the reason
   */
  onHello(body: Uint8Array): void
  /** Its own part of READY: at most `READY_BODY_BYTES`. */
  ready(): Uint8Array
  /** The peer's part. @throws NettsError `ERR_NETTS_PROTOCOL` */
  onReady(body: Uint8Array): void
  /** The handshake is complete: data may be posted. */
  onOpen(): void
  /**
   * One of its work requests completed: `COMPLETION` words from `at` on, valid for this call. Also called for failed
   * and flushed ones, of which only the id means anything.
   */
  onCompletion(words: Uint32Array, at: number): void
  /**
   * A batch of completions is over: the moment to post what they led to. Also comes behind batches that held nothing but
   * the endpoint's own. Whenever sends were posted, {@link Endpoint.posted} is to be told.
   */
  onBatchEnd(): void
  /** The connection is over, and not because of its own `close()`. Everything that arrived was handed over before. */
  onEnd(error: NettsError): void
  /** Nothing is outstanding any more, or will ever complete: settle what is left, close memory windows. */
  onDrained(): void
  /** The queue pair is gone: memory may be given back. */
  onClosed(): void
}

/** How a driver wants its endpoints. */
export interface EndpointOptions extends KeepAliveOptions {
  readonly identity: ProtocolIdentity
  readonly polling: PollingOptions
  /** Its own outstanding work requests; the endpoint adds what it needs itself. */
  readonly maxSendWorkRequests: number
  readonly maxReceiveWorkRequests: number
  readonly maxSendEntries: number
  readonly maxReceiveEntries: number
  readonly maxInlineBytes: number
  /**
   * The class of its traffic, see {@link CmId.setTrafficClass}; either end says what it sends.
   * @default what the system has
   */
  readonly trafficClass?: number | undefined
  /**
   * A connector's own IP address: it chooses the device where there are several.
   * @default what the routes to the peer say
   */
  readonly localAddress?: string | undefined
  /** Reads and atomics in progress, in either direction. At least 1: keepalive on iWARP is a Read. */
  readonly maxReads: number
  /**
   * The slabs that {@link openSession} is going to register: that is done before it is called, on another thread.
   * @default none
   */
  slabs?(environment: DeviceEnvironment): readonly SlabNeed[]
  /** Called with the queue pair made: allocate memory, and post every receive now. May throw a NettsError. */
  openSession(endpoint: Endpoint): EndpointSession
}
