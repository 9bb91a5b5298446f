/** The hook by which most libraries take a stream: a function that is told where to connect to. */
import type { Address, ConnectOptions, Transport, TransportBuilder } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'
import { connectStream } from './connect-stream.js'
import type { StreamOptions } from './stream-options.js'
import type { TransportStream } from './transport-stream.js'

/** Where a library wants to connect to: as options of `http.request`, or as a `URL`. */
export interface ConnectTarget {
  readonly host?: string | null | undefined
  readonly hostname?: string | null | undefined
  readonly port?: number | string | null | undefined
  /** Tells the port where there is none, such as `https:`. */
  readonly protocol?: string | null | undefined
}

/** Options of whatever connects where a library says. */
export interface ConnectorOptions extends StreamOptions, ConnectOptions {
  /** Where to connect to, or what tells it. @default the host and port that the library asks for */
  readonly address?: Address | ((target: ConnectTarget) => Address) | undefined
}

/**
 * Makes a function that connects where it is told: a `createConnection` of http, http2, ws, got, connect-node, and of
 * others that take one.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 */
export function createConnector<T extends Transport>(
  builder: TransportBuilder<T>,
  options: ConnectorOptions = {},
): (target: ConnectTarget) => TransportStream<T> {
  const { address = targetAddress, ...others } = options
  return (target) => connectStream(builder, typeof address === 'function' ? address(target) : address, others)
}

function targetAddress({ host, hostname, port, protocol }: ConnectTarget): Address {
  const name = hostname ?? host
  if (!name) throw invalidArgument('the library names no host: say where to connect to by options.address')
  // As a URL has it, an IPv6 address is in brackets.
  return { host: name.replace(/^\[(.*)\]$/, '$1'), port: Number(port || defaultPort(protocol)) }
}

const defaultPort = (protocol: string | null | undefined) =>
  protocol === 'https:' || protocol === 'wss:' ? 443 : 80
