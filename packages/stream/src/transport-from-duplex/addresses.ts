/** The addresses at both ends of a Duplex: those that the program gives, or those of a socket. */
import type { Duplex } from 'node:stream'
import type { Address } from '@netts/core'
import { checkAddress, type TransportEnds } from '@netts/core/driver'

/** An end without a name, such as that of a client of a Unix socket. */
const UNNAMED: Address = Object.freeze({ path: '' })

/** The addresses that the program gives. */
type GivenEnds = { readonly [K in keyof TransportEnds]?: Address | undefined }

/** The addresses of a `net.Socket`. */
interface Named {
  readonly localAddress?: string
  readonly localPort?: number
  readonly remoteAddress?: string
  readonly remotePort?: number
}

/**
 * Both addresses. They are read once, because a socket forgets them when it is closed.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a given address that is not valid
 */
export function endsOf(duplex: Duplex, given: GivenEnds): TransportEnds {
  const { localAddress, localPort, remoteAddress, remotePort } = duplex as Named
  return {
    localAddress: given.localAddress
      ? checkAddress(given.localAddress, 'listen')
      : address(localAddress, localPort),
    remoteAddress: given.remoteAddress
      ? checkAddress(given.remoteAddress, 'listen')
      : address(remoteAddress, remotePort),
  }
}

function address(host: string | undefined, port: number | undefined): Address {
  return host === undefined || port === undefined ? UNNAMED : Object.freeze({ host, port })
}
