/** The hook by which most libraries take a stream: a function that connects to a target that the library names. */
import type { Address, ConnectOptions, Transport, TransportBuilder } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'
import { connectStream } from './connect-stream.js'
import type { StreamOptions } from './stream-options.js'
import type { TransportStream } from './transport-stream.js'

/** Where a library wants to connect to: the options of `http.request`, or a `URL`. */
export interface ConnectTarget {
  /** The host name or IP address, used when there is no `hostname`. */
  readonly host?: string | null | undefined
  /** The host name or IP address; an IPv6 address may be in brackets. */
  readonly hostname?: string | null | undefined
  /** The port, 1 to 65535. @default 443 with the protocol `https:` or `wss:`, else 80 */
  readonly port?: number | string | null | undefined
  /** The scheme with a colon, such as `https:`. It decides the port if there is none. */
  readonly protocol?: string | null | undefined
}

/** Options of {@link createConnector}: those of each stream and each attempt to connect, and an address. */
export interface ConnectorOptions extends StreamOptions, ConnectOptions {
  /**
   * Where to connect to, or a function that returns it for the target that the library asks for.
   * @default the host and port that the library asks for
   */
  readonly address?: Address | ((target: ConnectTarget) => Address) | undefined
}

/**
 * Makes a function that connects as {@link connectStream} does, to the target that it is given. Pass it to libraries that
 * take a `createConnection`: http, http2, ws, got, connect-node and others.
 *
 * The returned function throws `ERR_NETTS_INVALID_ARGUMENT` for a builder or option that is not valid, and for a target
 * without a host; what `options.address` throws passes through.
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
  if (!name) throw invalidArgument('the library gave no host to connect to: set options.address')
  // A URL has an IPv6 address in brackets.
  return { host: name.replace(/^\[(.*)\]$/, '$1'), port: Number(port || defaultPort(protocol)) }
}

const defaultPort = (protocol: string | null | undefined) =>
  protocol === 'https:' || protocol === 'wss:' ? 443 : 80
