/** Makes a stream of a transport. */
import type { Transport } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'
import { checkStreamOptions, type StreamOptions } from './stream-options.js'
import { StreamOverTransport, type TransportStream } from './transport-stream.js'

/**
 * Makes a stream of a transport. There is no framing: over `tcp()` the bytes are plain TCP.
 *
 * The transport belongs to the stream from then on. Use only its metadata; the stream polls it, and closes it when it is
 * destroyed.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for something that is not a transport, and for an option that is unknown
 *   or out of range; the transport then remains the caller's
 */
export function createStream<T extends Transport>(
  transport: T,
  options: StreamOptions = {},
): TransportStream<T> {
  const config = checkStreamOptions(options)
  // The likeliest mistake is a promise of a transport.
  if (typeof transport?.pollRecv !== 'function') throw invalidArgument('transport must be a Transport')
  return new StreamOverTransport({ transport }, config)
}
