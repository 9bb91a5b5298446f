/** Addresses on the command line: the transport and the address, in one word. */
import { type Address, formatAddress, type HostAddress, isPathAddress } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'

/**
 * The transport of an address, as in `tcp://HOST:PORT`:
 *
 * - `tcp`, `unix`: TCP and Unix domain sockets (`@netts/tcp`);
 * - `sendrecv`, `ring`: RDMA with `@netts/rdma-sendrecv` or `@netts/rdma-ring`;
 * - `rdma`: RDMA with the faster driver, `@netts/rdma-ring`.
 */
export type Scheme = 'tcp' | 'unix' | 'sendrecv' | 'ring' | 'rdma'

/** An address with its transport, as {@link parseEndpoint} returns it. */
export interface TunnelEndpoint {
  /** The transport, as the endpoint's text names it, such as `tcp`. */
  readonly scheme: Scheme
  /** The address: `{ path }` with the scheme `unix`, else `{ host, port }`. */
  readonly address: Address
}

const FORMS = 'tcp://HOST:PORT, unix:PATH, sendrecv://HOST:PORT, ring://HOST:PORT, or rdma://HOST:PORT'

/** A host, in brackets or without colons, and an optional port. */
const HOST_AND_PORT = /^(?:\[([^\]]+)\]|([^:/@[\]]+))(?::(\d{1,5}))?\/?$/

/** Parses a host and a port; `undefined` for another text, and for one without a port if there is no default. */
export function parseHostAndPort(text: string, defaultPort?: number): HostAddress | undefined {
  const [, bracketed, plain, digits] = HOST_AND_PORT.exec(text) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? defaultPort : Number(digits)
  return host === undefined || port === undefined ? undefined : { host, port }
}

/**
 * Parses an address with its transport, such as `tcp://[::1]:80` or `unix:/run/x.sock`. An IPv6 address is in brackets.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for any other text; the message says what is wrong
 */
export function parseEndpoint(text: string): TunnelEndpoint {
  const refuse = (why: string) => invalidArgument(`${JSON.stringify(text)} ${why}; an address is ${FORMS}`)
  const [, scheme, rest = ''] = /^([a-z]+):(.*)$/s.exec(text) ?? []
  switch (scheme) {
    case 'unix': {
      const path = rest.replace(/^\/\/(?=\/)/, '')
      if (path === '') throw refuse('has no path')
      if (path.includes('\0')) throw refuse('has a path with a NUL character')
      return { scheme, address: { path } }
    }
    case 'tcp':
    case 'sendrecv':
    case 'ring':
    case 'rdma': {
      if (!rest.startsWith('//')) throw refuse(`has no // after ${scheme}:`)
      const address = parseHostAndPort(rest.slice(2))
      if (address === undefined) throw refuse('is not a host and a port')
      if (address.port > 65_535) throw refuse('has a port above 65535')
      return { scheme, address }
    }
    case undefined:
      throw refuse('does not begin with a transport')
    default:
      throw refuse(`begins with ${scheme}:, which is not a transport`)
  }
}

/** Formats an address with its transport, in the form that {@link parseEndpoint} parses. */
export function formatEndpoint({ scheme, address }: TunnelEndpoint): string {
  return `${scheme}:${isPathAddress(address) ? '' : '//'}${formatAddress(address)}`
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i

/** Whether only this machine can reach the address. */
export function isLocal({ address }: TunnelEndpoint): boolean {
  return isPathAddress(address) || LOOPBACK.test(address.host)
}
