/**
 * `node:http2` over any transport: sessions of clients. Servers go by `serve` of `@netts/stream`.
 *
 * @packageDocumentation
 */
import { type ClientHttp2Session, type ClientSessionOptions, connect } from 'node:http2'
import type { Transport, TransportBuilder } from '@netts/core'
import { type ConnectorOptions, createConnector } from './connector.js'

/** Options of a session: those of `http2.connect`, and how it connects. */
export interface TransportSessionOptions extends Omit<ClientSessionOptions, 'createConnection'> {
  /** How it connects. @default to the host and port of the authority */
  readonly connection?: ConnectorOptions | undefined
}

/**
 * Begins a session, as `http2.connect` does.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param authority the URL of which scheme and authority go into requests, such as `http://service`
 */
export function connectHttp2<T extends Transport>(
  builder: TransportBuilder<T>,
  authority: string | URL,
  { connection, ...options }: TransportSessionOptions = {},
): ClientHttp2Session {
  return connect(authority, { ...options, createConnection: createConnector(builder, connection) })
}
