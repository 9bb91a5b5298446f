/**
 * `@netts/rdma-ring`: netts transports over one-sided RDMA verbs.
 *
 * @packageDocumentation
 */
export type { MemoryWindowUse, RingOptions } from './options.js'
export { type RingOverOptions, ring, ringOver } from './ring.js'
export type { RingTransport } from './ring-transport.js'
