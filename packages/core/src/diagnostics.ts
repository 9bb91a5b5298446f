/**
 * What can be observed from the outside, through `node:diagnostics_channel`. Nothing is built or published
 * while nobody subscribes.
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
  readonly address: Address
  /** The name of the builder. */
  readonly wire: string
  /** From `asyncStart` on, when it succeeded. */
  readonly result?: Connection
  /** From `error` on, when it failed. */
  readonly error?: unknown
}

/** The message of `netts:connection:connect`: `connect` made this connection. */
export interface ConnectionConnectEvent {
  readonly connection: Connection
}

/** The message of `netts:connection:accept`: a listener's `accept` handed this connection out. */
export interface ConnectionAcceptEvent {
  readonly connection: Connection
}

/** The message of `netts:connection:close`: closed, cleanly or not. Comes once for each connection, last. */
export interface ConnectionCloseEvent {
  readonly connection: Connection
  /** What ended it, as `connection.closed` resolves to; `undefined` after a clean end. */
  readonly error: NettsError | undefined
}

/** The message of `netts:connection:error`: an error ended this connection. */
export interface ConnectionErrorEvent {
  readonly connection: Connection
  readonly error: NettsError
}

/**
 * The message of `netts:listener:error`: a listener could not accept a connection, for want of files or memory, and goes
 * on; without a subscriber that is a process warning. Or a client's TLS handshake failed: without a subscriber, that is
 * nothing.
 */
export interface ListenerErrorEvent {
  /** Where it listens. */
  readonly address: Address
  readonly error: NettsError
}

/** The message of `netts:buffer-pool:leak` is an {@link OutstandingBuffer}. */
export type BufferLeakEvent = OutstandingBuffer

/** The message of `netts:wire:fallback`: a wire of `preferring` could not be had, and the next one is tried. */
export interface WireFallbackEvent {
  /** The name of its builder. */
  readonly wire: string
  readonly address: Address
  /** With `listen`, the machine does not have it. */
  readonly operation: 'connect' | 'listen'
  readonly reason: FallbackReason
  readonly error: NettsError
  /** How often that happened to this builder for this reason, this time included. */
  readonly count: number
}

/** The names of all channels. */
export const DIAGNOSTICS_CHANNELS = {
  connectTracing: 'netts:connect',
  connect: 'netts:connection:connect',
  accept: 'netts:connection:accept',
  close: 'netts:connection:close',
  error: 'netts:connection:error',
  listenerError: 'netts:listener:error',
  bufferLeak: 'netts:buffer-pool:leak',
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
