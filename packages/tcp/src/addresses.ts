/** The addresses at both ends of a socket, and the limit of the platform for paths. */
import type { AddressInfo, Server, Socket } from 'node:net'
import { type Address, isPathAddress } from '@netts/core'
import { invalidArgument, type TransportEnds } from '@netts/core/driver'

/** `sun_path` has 108 bytes on Linux and 104 on macOS, with the final NUL (unix(7)). Node.js would truncate the path. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** Checks that a path is short enough. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` otherwise */
export function checkPathLength(address: Address, operation: 'connect' | 'listen'): Address {
  if (isPathAddress(address) && Buffer.byteLength(address.path) > MAX_PATH_BYTES) {
    throw invalidArgument(
      `address.path is longer than ${MAX_PATH_BYTES} bytes, the limit of this system`,
      operation,
    )
  }
  return address
}

/** The address on which a server listens, with the port that was chosen for port 0. */
export function listeningAddress(server: Server, asked: Address): Address {
  if (isPathAddress(asked)) return asked
  const { address, port } = server.address() as AddressInfo
  return Object.freeze({ host: address, port })
}

/** A client's end of a Unix domain socket has no name. */
const UNNAMED: Address = Object.freeze({ path: '' })

// Addresses that are known already are not read from the socket: Node.js would keep a copy as long as the socket exists.

/** The ends of a client's connection. @returns `undefined` when it is closed already, or connected to itself */
export function clientEnds(socket: Socket, remoteAddress: Address): TransportEnds | undefined {
  if (isPathAddress(remoteAddress)) return { localAddress: UNNAMED, remoteAddress }
  const { localAddress: host, localPort: port } = socket
  if (host === undefined || port === undefined) return undefined
  // If nothing listens on a port of the ephemeral range, TCP can connect a socket to itself.
  if (port === remoteAddress.port && host === socket.remoteAddress) return undefined
  return { localAddress: Object.freeze({ host, port }), remoteAddress }
}

/** The ends of an accepted connection. @returns `undefined` when the client has closed it already */
export function serverEnds(socket: Socket, listening: Address): TransportEnds | undefined {
  if (isPathAddress(listening)) return { localAddress: listening, remoteAddress: UNNAMED }
  const { remoteAddress: host, remotePort: port } = socket
  if (host === undefined || port === undefined) return undefined
  const localAddress = isWildcard(listening.host)
    ? Object.freeze({ host: socket.localAddress ?? listening.host, port: listening.port })
    : listening
  return { localAddress, remoteAddress: Object.freeze({ host, port }) }
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}
