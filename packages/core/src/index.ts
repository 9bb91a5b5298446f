/**
 * `@netts/core`: what an application is written against, whichever wire it runs on.
 *
 * @packageDocumentation
 */
export type { Address, HostAddress, ListeningAddress, PathAddress } from './address.js'
export { formatAddress, isPathAddress } from './address.js'
export type {
  BufferPool,
  BufferPoolStats,
  OutstandingBuffer,
  OwnedBufferPool,
  PooledBuffer,
} from './buffer-pool/buffer-pool.js'
export { HOST_MEMORY } from './buffer-pool/buffer-pool.js'
export {
  type BufferPoolOptions,
  createBufferPool,
  DEFAULT_SIZE_CLASSES,
} from './buffer-pool/create-buffer-pool.js'
export type { SizeClass } from './buffer-pool/slab-allocator.js'
export { connect, listen } from './connection/connect.js'
export type {
  Connection,
  ConnectionListener,
  ConnectionListenOptions,
  ConnectionOptions,
  ConnectionState,
  ConnectionStats,
  ListenerCloseOptions,
  MessageLease,
  OperationOptions,
  TransportInfo,
} from './connection/connection.js'
export { createConnection } from './connection/create-connection.js'
export type {
  BufferLeakEvent,
  ConnectionAcceptEvent,
  ConnectionCloseEvent,
  ConnectionConnectEvent,
  ConnectionErrorEvent,
  ConnectTrace,
  ListenerErrorEvent,
  WireFallbackEvent,
} from './diagnostics.js'
export { DIAGNOSTICS_CHANNELS } from './diagnostics.js'
export type { NettsErrorCode, NettsErrorDetails } from './errors.js'
export { ERROR_CODES, isNettsError, NettsError } from './errors.js'
export type { FallbackReason } from './preferring/fallback.js'
export type { PreferringListener } from './preferring/listen-on-all.js'
export {
  type PreferringBuilder,
  preferring,
  type WireCandidate,
  type WireFallbacks,
} from './preferring/preferring.js'
export { wireOf } from './preferring/wire-of.js'
export type {
  AcceptOptions,
  ConnectOptions,
  DisconnectOptions,
  ListenOptions,
  RecvCompletion,
  Transport,
  TransportBuilder,
  TransportCapabilities,
  TransportListener,
  TransportState,
} from './transport.js'
