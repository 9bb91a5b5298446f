/**
 * `@netts/stream`: any transport as a stream of Node.js, so that software written for sockets runs over any wire.
 *
 * @packageDocumentation
 */
export { connectStream } from './connect-stream.js'
export { type ConnectorOptions, type ConnectTarget, createConnector } from './connector.js'
export { createStream } from './create-stream.js'
export { serve } from './serve.js'
export type { SocketAddress, StreamReadyState } from './socket-like.js'
export type { StreamOptions } from './stream-options.js'
export {
  createStreamServer,
  type StreamServer,
  type StreamServerEvents,
  type StreamServerOptions,
} from './stream-server.js'
export type { DuplexLimits } from './transport-from-duplex/limits.js'
export { type TransportFromDuplexOptions, transportFromDuplex } from './transport-from-duplex.js'
export type { TransportStream } from './transport-stream.js'
