/** Addresses as people type them: the transport and where, in one word. */
import { type Address, formatAddress, type HostAddress, isPathAddress } from '@netts/core'
import { invalidArgument } from '@netts/core/driver'

/** What an address may begin with: the transport. `rdma` is the faster RDMA driver, the ring. */
export type Scheme = 'tcp' | 'unix' | 'sendrecv' | 'ring' | 'rdma'

/** A transport, and an address of it. */
export interface TunnelEndpoint {
  readonly scheme: Scheme
  readonly address: Address
}

const FORMS = 'tcp://HOST:PORT, unix:PATH, sendrecv://HOST:PORT, ring://HOST:PORT, or rdma://HOST:PORT'

/** Of a host in brackets, or without colons, and a port. */
const HOST_AND_PORT = /^(?:\[([^\]]+)\]|([^:/@[\]]+))(?::(\d{1,5}))?\/?$/

/** A host and a port, of up to five digits; `undefined` when the text is none, or has no port and needs one. */
export function parseHostAndPort(text: string, defaultPort?: number): HostAddress | undefined {
  const [, bracketed, plain, digits] = HOST_AND_PORT.exec(text) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? defaultPort : Number(digits)
  return host === undefined || port === undefined ? undefined : { host, port }
}

/**
 * Parses an address, such as `tcp://[::1]:80` or `unix:/run/x.sock`.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, saying what is wrong with it
 */
export function parseEndpoint(text: string): TunnelEndpoint {
  const refuse = (why: string) => invalidArgument(`${JSON.stringify(text)} ${why}; an address is ${FORMS}`)
  const [, scheme, rest = ''] = /^([a-z]+):(.*)$/s.exec(text) ?? []
  switch (scheme) {
    case 'unix': {
      const path = rest.replace(/^\/\/(?=\/)/, '')
      if (path === '') throw refuse('names no path')
      if (path.includes('\0')) throw refuse('has a path with NUL')
      return { scheme, address: { path } }
    }
    case 'tcp':
    case 'sendrecv':
    case 'ring':
    case 'rdma': {
      if (!rest.startsWith('//')) throw refuse(`lacks the // behind ${scheme}:`)
      const address = parseHostAndPort(rest.slice(2))
      if (address === undefined) throw refuse('is not a host and a port')
      if (address.port > 65_535) throw refuse('has a port beyond 65535')
      return { scheme, address }
    }
    case undefined:
      throw refuse('does not begin with a transport')
    default:
      throw refuse(`begins with ${scheme}:, which is no transport`)
  }
}

/** The address as {@link parseEndpoint} takes it. */
export function formatEndpoint({ scheme, address }: TunnelEndpoint): string {
  return `${scheme}:${isPathAddress(address) ? '' : '//'}${formatAddress(address)}`
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i

/** Whether only this machine reaches it. */
export function isLocal({ address }: TunnelEndpoint): boolean {
  return isPathAddress(address) || LOOPBACK.test(address.host)
}
