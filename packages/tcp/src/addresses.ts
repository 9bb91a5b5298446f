/** The addresses at both ends of a socket, and what the platform asks of a path. */
import type { AddressInfo, Server, Socket } from 'node:net'
import { type Address, isPathAddress } from '@netts/core'
import { invalidArgument, type TransportEnds } from '@netts/core/driver'

/** `sun_path` has room for 108 bytes in Linux and 104 in macOS, with a NUL (unix(7)). Node.js would cut the path. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** Whether a path is short enough. @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` */
export function checkPathLength(address: Address, operation: 'connect' | 'listen'): Address {
  if (isPathAddress(address) && Buffer.byteLength(address.path) > MAX_PATH_BYTES) {
    throw invalidArgument(`address.path exceeds the system's ${MAX_PATH_BYTES} bytes`, operation)
  }
  return address
}

/** Where a server listens; a given path as it is, a port as it was chosen. */
export function listeningAddress(server: Server, asked: Address): Address {
  if (isPathAddress(asked)) return asked
  const { address, port } = server.address() as AddressInfo
  return Object.freeze({ host: address, port })
}

/** A client's end of a Unix domain socket has no name. */
const UNNAMED: Address = Object.freeze({ path: '' })

// What is known already is not asked of the socket: Node.js would keep a copy for as long as the socket lives.

/** @returns `undefined` when the connection is gone already, or connected to itself */
export function clientEnds(socket: Socket, remoteAddress: Address): TransportEnds | undefined {
  if (isPathAddress(remoteAddress)) return { localAddress: UNNAMED, remoteAddress }
  const { localAddress: host, localPort: port } = socket
  if (host === undefined || port === undefined) return undefined
  // With nobody listening on a port of the ephemeral range, TCP can connect a socket to itself.
  if (port === remoteAddress.port && host === socket.remoteAddress) return undefined
  return { localAddress: Object.freeze({ host, port }), remoteAddress }
}

/** @returns `undefined` when the client is gone already */
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
