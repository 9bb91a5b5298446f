/** What a driver brings to an endpoint, and what it asks of it. */
import type { NettsError } from '@netts/core'
import type { PollingOptions } from './completion-loop.js'
import type { Endpoint } from './endpoint.js'
import type { ProtocolIdentity } from './hello.js'
import type { KeepAliveOptions } from './keep-alive.js'

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
  /** Reads and atomics in progress, in either direction. At least 1: keepalive on iWARP is a Read. */
  readonly maxReads: number
  /** Called with the queue pair made: allocate memory, and post every receive now. May throw a NettsError. */
  openSession(endpoint: Endpoint): EndpointSession
}
