/**
 * `@netts/stream`: any transport as a stream of Node.js, so that software written for sockets runs over any wire.
 *
 * @packageDocumentation
 */
export { createStream } from './create-stream.js'
export type { StreamOptions } from './stream-options.js'
export type { DuplexLimits } from './transport-from-duplex/limits.js'
export { type TransportFromDuplexOptions, transportFromDuplex } from './transport-from-duplex.js'
export type { StreamReadyState, TransportStream } from './transport-stream.js'
