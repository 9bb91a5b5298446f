/** Any transport as a stream. */
import type { Transport } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'
import { checkStreamOptions, type StreamOptions } from './stream-options.js'
import { StreamOverTransport, type TransportStream } from './transport-stream.js'

/**
 * Makes a stream over a transport, which is the stream's from here on. The bytes are as they are on the wire: over
 * `tcp()`, plain TCP.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for no transport, an unknown option, or one out of range; the
 *   transport stays the caller's.
 */
export function createStream<T extends Transport>(
  transport: T,
  options: StreamOptions = {},
): TransportStream<T> {
  const config = checkStreamOptions(options)
  // The likeliest mistake is a promise of one.
  if (typeof transport?.pollRecv !== 'function') throw invalidArgument('transport must be a Transport')
  return new StreamOverTransport({ transport }, config)
}
