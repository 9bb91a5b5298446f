/** Connects with any driver, and returns a stream. */
import type { Address, ConnectOptions, Transport, TransportBuilder } from '@netts/core'
import { checkAddress, checkSignal, checkTimeout } from '@netts/core/driver'
import { checkBuilder } from '@netts/core/lifecycle'
import { checkStreamOptions, type StreamOptions } from './stream-options.js'
import { StreamOverTransport, type TransportStream } from './transport-stream.js'

/**
 * Connects with a driver, as `net.connect` of Node.js does: it returns the stream at once, and bytes that are written wait
 * until it is connected. Then the stream emits `connect` and `ready`, or `error` and `close`. Destroying the stream cancels
 * the attempt.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param address the address of the listener; each driver documents which forms it supports
 * @param options `signal` cancels the attempt to connect, and `timeoutMs` is its deadline in milliseconds (10000 by
 *   default, 0 for none); the others are those of the stream
 * @param onConnect a listener for `connect`
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an argument or option that is not valid. An attempt that fails emits
 *   `error` with what `TransportBuilder.connect` rejects with, such as `ERR_NETTS_CONNECT_FAILED`.
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
  // An async function: a builder that throws becomes a rejection.
  const connect = async (destroyed: AbortSignal) =>
    builder.connect(address, { signal: signal ? AbortSignal.any([signal, destroyed]) : destroyed, timeoutMs })
  const stream = new StreamOverTransport({ connect }, config)
  if (onConnect) stream.once('connect', onConnect)
  return stream
}
