/**
 * undici over any transport: the `connect` option of its `Client`, `Pool` and `Agent`.
 *
 * @packageDocumentation
 */
import type { Transport, TransportBuilder } from '@netts/core'
import { type ConnectorOptions, type ConnectTarget, createConnector } from './connector.js'
import type { TransportStream } from './transport-stream.js'

/** Options of {@link undiciConnector}. */
export interface UndiciConnectorOptions extends ConnectorOptions {
  /** Whether to speak HTTP/2. Set `allowH2: true` in the options of undici too. @default false */
  readonly http2?: boolean | undefined
}

/**
 * The `connect` option of undici's `Client`, `Pool` and `Agent`: it calls back once, with a connected stream or with the
 * error of the attempt.
 */
export type UndiciConnector = (
  target: ConnectTarget,
  callback: (...result: [error: Error, socket: null] | [error: null, socket: TransportStream]) => void,
) => void

/**
 * Makes the `connect` option of undici's `Client`, `Pool` and `Agent`, which also serves undici's `fetch`. It calls back
 * when the stream is connected, and never within the call, because undici 7 would lose the request.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 */
export function undiciConnector<T extends Transport>(
  builder: TransportBuilder<T>,
  { http2 = false, ...options }: UndiciConnectorOptions = {},
): UndiciConnector {
  const connect = createConnector(builder, options)
  return (target, callback) => {
    const stream = connect(target)
    if (http2) stream.alpnProtocol = 'h2'
    const onError = (error: Error) => callback(error, null)
    stream.once('error', onError)
    stream.once('connect', () => {
      stream.off('error', onError)
      callback(null, stream)
    })
  }
}
