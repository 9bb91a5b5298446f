/** The addresses at both ends of a socket, and what the platform asks of a path. */
import type { AddressInfo, Server, Socket } from 'node:net'
import { type Address, isPathAddress } from '@netts/core'
import { checkAddress, invalidArgument } from '@netts/core/driver'

/** Both ends of a connection. */
export interface Ends {
  readonly localAddress: Address
  readonly remoteAddress: Address
}

/** `sun_path` has room for 108 bytes in Linux and 104 in macOS, with a NUL (unix(7)). Node.js would cut the path. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** As `checkAddress`, and whether a path is short enough. */
export function checkTcpAddress(address: Address, operation: 'connect' | 'listen'): Address {
  const checked = checkAddress(address, operation)
  if (isPathAddress(checked) && Buffer.byteLength(checked.path) > MAX_PATH_BYTES) {
    throw invalidArgument(`address.path exceeds the system's ${MAX_PATH_BYTES} bytes`, operation)
  }
  return checked
}

/** Where a server listens; a given path as it is, a port as it was chosen. */
export function listeningAddress(server: Server, asked: Address): Address {
  if (isPathAddress(asked)) return asked
  const { address, port } = server.address() as AddressInfo
  return Object.freeze({ host: address, port })
}

/** The ends of a client's connection. @returns `undefined` when it is gone already, or connected to itself */
export function clientEnds(socket: Socket, asked: Address): Ends | undefined {
  if (isPathAddress(asked)) return { localAddress: UNNAMED, remoteAddress: asked }
  const { localAddress, localPort, remoteAddress, remotePort } = socket
  // With nobody listening on a port of the ephemeral range, TCP can connect a socket to itself.
  if (localPort === remotePort && localAddress === remoteAddress) return undefined
  return hostEnds(socket)
}

/** The ends of a server's connection. @returns `undefined` when the client is gone already */
export function serverEnds(socket: Socket, listening: Address): Ends | undefined {
  return isPathAddress(listening) ? { localAddress: listening, remoteAddress: UNNAMED } : hostEnds(socket)
}

/** A client's end of a Unix domain socket has no name. */
const UNNAMED: Address = Object.freeze({ path: '' })

function hostEnds({ localAddress, localPort, remoteAddress, remotePort }: Socket): Ends | undefined {
  if (localAddress === undefined || localPort === undefined) return undefined
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  return {
    localAddress: Object.freeze({ host: localAddress, port: localPort }),
    remoteAddress: Object.freeze({ host: remoteAddress, port: remotePort }),
  }
}
