/**
 * `@netts/core`: what an application is written against, whichever wire it runs on.
 *
 * @packageDocumentation
 */
export type { Address, HostAddress, PathAddress } from './address.js'
export { formatAddress, isPathAddress } from './address.js'
export type { BufferPool, BufferPoolStats, PooledBuffer } from './buffer-pool/buffer-pool.js'
export { HOST_MEMORY } from './buffer-pool/buffer-pool.js'
export type {
  Connection,
  ConnectionListener,
  ConnectionListenOptions,
  ConnectionOptions,
  ConnectionStats,
  MessageLease,
  OperationOptions,
} from './connection/connection.js'
export type { NettsErrorCode, NettsErrorDetails } from './errors.js'
export { ERROR_CODES, isNettsError, NettsError } from './errors.js'
export type {
  AcceptOptions,
  ConnectOptions,
  ListenOptions,
  RecvCompletion,
  Transport,
  TransportBuilder,
  TransportCapabilities,
  TransportListener,
  TransportState,
} from './transport.js'
