/** Connecting with any driver, for a stream. */
import type { Address, ConnectOptions, Transport, TransportBuilder } from '@netts/core'
import { checkAddress, checkSignal, checkTimeout } from '@netts/core/driver'
import { checkBuilder } from '@netts/core/lifecycle'
import { checkStreamOptions, type StreamOptions } from './stream-options.js'
import { StreamOverTransport, type TransportStream } from './transport-stream.js'

/**
 * Connects with a driver, as `net.connect` does: the stream is there at once, what is written waits, and then come the
 * events `connect` and `ready`, or `error` and `close`. Destroying it cancels the attempt.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param address where to connect to; which forms work is the driver's choice
 * @param options `signal` and `timeoutMs` are those of the attempt to connect
 * @param onConnect a listener for `connect`
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`. What the attempt fails with comes as `error`: see
 *   `TransportBuilder.connect`.
 */
export function connectStream<T extends Transport>(
  builder: TransportBuilder<T>,
  address: Address,
  options: StreamOptions & ConnectOptions = {},
  onConnect?: () => void,
): TransportStream<T> {
  checkBuilder(builder)
  checkAddress(address, 'connect')
  const config = checkStreamOptions(options, ['signal', 'timeoutMs'])
  const signal = checkSignal(options.signal)
  const { timeoutMs } = options
  if (timeoutMs !== undefined) checkTimeout('timeoutMs', timeoutMs)
  // A builder that throws, instead of rejecting, is to be no exception.
  const connect = async (destroyed: AbortSignal) =>
    builder.connect(address, { signal: signal ? AbortSignal.any([signal, destroyed]) : destroyed, timeoutMs })
  const stream = new StreamOverTransport({ connect }, config)
  if (onConnect) stream.once('connect', onConnect)
  return stream
}
