/**
 * The diagnostics channels of `node:diagnostics_channel`. Without a subscriber, no message is built.
 */
import { type Channel, channel, tracingChannel } from 'node:diagnostics_channel'
import type { Address } from './address.js'
import type { OutstandingBuffer } from './buffer-pool/buffer-pool.js'
import type { Connection } from './connection/connection.js'
import type { NettsError } from './errors.js'
import type { FallbackReason } from './preferring/fallback.js'

/**
 * The message of the tracing channel `netts:connect`: {@link connect} is under way, from its start on. The channels of
 * Node.js for it are `tracing:netts:connect:start`, `end`, `asyncStart`, `asyncEnd` and `error`.
 */
export interface ConnectTrace {
  /** The address concerned. */
  readonly address: Address
  /** The name of the builder. */
  readonly wire: string
  /** The connection, from `asyncStart` on, if the attempt succeeded. */
  readonly result?: Connection
  /** What the attempt rejected with, from `error` on, if it failed. */
  readonly error?: unknown
}

/** The message of `netts:connection:connect`: `connect` made this connection. */
export interface ConnectionConnectEvent {
  /** The connection concerned. */
  readonly connection: Connection
}

/** The message of `netts:connection:accept`: a listener's `accept` handed this connection out. */
export interface ConnectionAcceptEvent {
  /** The connection concerned. */
  readonly connection: Connection
}

/** The message of `netts:connection:close`: a connection is closed. It is the last message, once for each connection. */
export interface ConnectionCloseEvent {
  /** The connection concerned. */
  readonly connection: Connection
  /** The error that ended it, as in `connection.closed`; `undefined` after a clean end. */
  readonly error: NettsError | undefined
}

/** The message of `netts:connection:error`: an error ended this connection. */
export interface ConnectionErrorEvent {
  /** The connection concerned. */
  readonly connection: Connection
  /** The error. */
  readonly error: NettsError
}

/**
 * The message of `netts:listener:error`. Either a listener could not accept a connection, because file descriptors or
 * memory ran out; it continues to listen, and without a subscriber there is a process warning. Or the TLS handshake of a
 * client failed; without a subscriber nothing is reported.
 */
export interface ListenerErrorEvent {
  /** The address of the listener. */
  readonly address: Address
  /** The error. */
  readonly error: NettsError
}

/**
 * The message of `netts:buffer-pool:leak`: a pooled buffer was garbage-collected without a `release()`, so its memory is
 * lost to the pool. It says how many bytes were asked for and where. Published only by pools with `detectLeaks`.
 */
export type BufferLeakEvent = OutstandingBuffer

/** The message of `netts:wire:fallback`: a wire of `preferring` is not available, and the next one is tried. */
export interface WireFallbackEvent {
  /** The name of its builder. */
  readonly wire: string
  /** The address concerned. */
  readonly address: Address
  /** `connect`: this machine or the peer does not have the wire. `listen`: this machine does not have it. */
  readonly operation: 'connect' | 'listen'
  /** Why the wire is not available. */
  readonly reason: FallbackReason
  /** The error. */
  readonly error: NettsError
  /** How often this builder fell back for this reason, this time included. */
  readonly count: number
}

/** The names of all channels of `node:diagnostics_channel` that this package publishes to. */
export const DIAGNOSTICS_CHANNELS = {
  /** The tracing channel of each attempt to connect; its messages are {@link ConnectTrace}s. */
  connectTracing: 'netts:connect',
  /** `connect` made a connection; the message is a {@link ConnectionConnectEvent}. */
  connect: 'netts:connection:connect',
  /** A listener handed a connection out; the message is a {@link ConnectionAcceptEvent}. */
  accept: 'netts:connection:accept',
  /** A connection is closed; the message is a {@link ConnectionCloseEvent}. */
  close: 'netts:connection:close',
  /** An error ended a connection; the message is a {@link ConnectionErrorEvent}. */
  error: 'netts:connection:error',
  /** A listener could not accept a connection; the message is a {@link ListenerErrorEvent}. */
  listenerError: 'netts:listener:error',
  /** A pooled buffer was never released; the message is a {@link BufferLeakEvent}. */
  bufferLeak: 'netts:buffer-pool:leak',
  /** A wire of `preferring` is not available; the message is a {@link WireFallbackEvent}. */
  wireFallback: 'netts:wire:fallback',
} as const

export const connectTracing = tracingChannel<ConnectTrace, ConnectTrace>(DIAGNOSTICS_CHANNELS.connectTracing)
export const connectChannel = channel(DIAGNOSTICS_CHANNELS.connect) as Channel<ConnectionConnectEvent>
export const acceptChannel = channel(DIAGNOSTICS_CHANNELS.accept) as Channel<ConnectionAcceptEvent>
export const closeChannel = channel(DIAGNOSTICS_CHANNELS.close) as Channel<ConnectionCloseEvent>
export const errorChannel = channel(DIAGNOSTICS_CHANNELS.error) as Channel<ConnectionErrorEvent>
export const listenerErrorChannel = channel(DIAGNOSTICS_CHANNELS.listenerError) as Channel<ListenerErrorEvent>
export const bufferLeakChannel = channel(DIAGNOSTICS_CHANNELS.bufferLeak) as Channel<BufferLeakEvent>
export const wireFallbackChannel = channel(DIAGNOSTICS_CHANNELS.wireFallback) as Channel<WireFallbackEvent>
