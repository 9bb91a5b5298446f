/** The addresses at both ends of a Duplex: as given, or as a socket tells them. */
import type { Duplex } from 'node:stream'
import type { Address } from '@netts/core'
import { checkAddress, type TransportEnds } from '@netts/core/driver'

/** An end without a name, such as that of a client of a Unix socket. */
const UNNAMED: Address = Object.freeze({ path: '' })

/** What the program says. */
type GivenEnds = { readonly [K in keyof TransportEnds]?: Address | undefined }

/** What a `net.Socket` says of its ends. */
interface Named {
  readonly localAddress?: string
  readonly localPort?: number
  readonly remoteAddress?: string
  readonly remotePort?: number
}

/**
 * Both addresses. They are asked for once, as a socket forgets them when it is closed.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for given ones that are none
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
