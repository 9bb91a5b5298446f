/**
 * `@netts/pool`: connections kept ready, lent or shared, over any driver.
 *
 * @packageDocumentation
 */
export { createPool } from './create-pool.js'
export {
  type DnsEndpointsOptions,
  dnsEndpoints,
  type SrvEndpointsOptions,
  type SrvRecord,
  srvEndpoints,
} from './endpoints/dns.js'
export type { Endpoint, Endpoints } from './endpoints/endpoint-list.js'
export { POOL_CHANNELS, type PoolDiagnostics, type PoolEvent, type RetireReason } from './events.js'
export type { TimeHistogram } from './histogram.js'
export type { CallContext, PoolOptions, ShareOptions } from './options.js'
export {
  type ExponentialOptions,
  type ReconnectAttempt,
  type ReconnectPolicy,
  reconnectExponential,
  reconnectFixed,
  reconnectNever,
} from './policy/backoff.js'
export type { BreakerOptions, BreakerState } from './policy/breaker.js'
export { type Pick, powerOfTwoChoices, roundRobin } from './policy/pick.js'
export type {
  AcquireOptions,
  DrainOptions,
  EndpointStats,
  EndpointStatus,
  Pool,
  PooledConnection,
  PoolState,
  PoolStats,
} from './pool.js'
