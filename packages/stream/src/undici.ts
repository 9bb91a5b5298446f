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
  /** Speaks HTTP/2; undici itself must be told so too, by `allowH2`. @default false */
  readonly http2?: boolean | undefined
}

/** What undici calls to connect. */
export type UndiciConnector = (
  target: ConnectTarget,
  callback: (...result: [error: Error, socket: null] | [error: null, socket: TransportStream]) => void,
) => void

/**
 * Makes a connector for undici. It answers once the stream is connected, and never within the call: undici 7 loses
 * the request otherwise.
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
