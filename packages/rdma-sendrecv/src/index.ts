/**
 * `@netts/rdma-sendrecv`: netts transports over two-sided RDMA verbs.
 *
 * @packageDocumentation
 */
export type { SendRecvOptions } from './options.js'
export { type SendRecvOverOptions, sendRecv, sendRecvOver } from './send-recv.js'
export type { SendRecvTransport } from './send-recv-transport.js'
