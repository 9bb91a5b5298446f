/**
 * `node:http2` over any transport: sessions of clients. For servers there is `serve` of `@netts/stream`.
 *
 * @packageDocumentation
 */
import { type ClientHttp2Session, type ClientSessionOptions, connect } from 'node:http2'
import type { Transport, TransportBuilder } from '@netts/core'
import { type ConnectorOptions, createConnector } from './connector.js'

/** Options of {@link connectHttp2}: those of `http2.connect`, and how it connects. */
export interface TransportSessionOptions extends Omit<ClientSessionOptions, 'createConnection'> {
  /** The address and the options of its stream. @default the host and port of the authority, with default options */
  readonly connection?: ConnectorOptions | undefined
}

/**
 * Begins a session, as `http2.connect` of Node.js does. The session emits `connect`, or `error` with a NettsError.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param authority the URL whose scheme and authority are sent with requests, such as `http://service`
 */
export function connectHttp2<T extends Transport>(
  builder: TransportBuilder<T>,
  authority: string | URL,
  { connection, ...options }: TransportSessionOptions = {},
): ClientHttp2Session {
  return connect(authority, { ...options, createConnection: createConnector(builder, connection) })
}
