/**
 * `@netts/tcp`: netts transports over TCP and Unix domain sockets.
 *
 * @packageDocumentation
 */
export type { TcpOptions } from './options.js'
export { tcp } from './tcp.js'
