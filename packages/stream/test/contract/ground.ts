/** What the contract of a socket is checked on: `node:net` itself, and streams over each transport. */
import { once } from 'node:events'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import type { TransportBuilder } from '@netts/core'
import { connectStream, createStreamServer } from '../../src/index.js'

/** What `net.Socket` and `TransportStream` have in common. */
export interface AnySocket extends Duplex {
  readonly connecting: boolean
  readonly pending: boolean
  readonly readyState: string
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly remoteFamily?: string | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  readonly localFamily?: string | undefined
  readonly timeout?: number | undefined
  address(): object
  setTimeout(timeoutMs: number, callback?: () => void): AnySocket
  setNoDelay(noDelay?: boolean): AnySocket
  setKeepAlive(enable?: boolean, initialDelayMs?: number): AnySocket
  ref(): AnySocket
  unref(): AnySocket
  destroySoon(): void
  resetAndDestroy(): AnySocket
}

/** What `net.Server` and `StreamServer` have in common. */
export interface AnyServer {
  readonly listening: boolean
  on(event: 'connection', listener: (socket: AnySocket) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  once(event: string, listener: (...values: unknown[]) => void): unknown
  address(): unknown
  close(callback?: (error?: Error) => void): unknown
  getConnections(callback: (error: Error | null, count: number) => void): unknown
  ref(): unknown
  unref(): unknown
}

export interface SocketOptions {
  readonly allowHalfOpen?: boolean
}

/** Where sockets come from. */
export interface Ground {
  readonly name: string
  /** Whether `resetAndDestroy` reaches the peer as an error. */
  readonly hasReset: boolean
  /** Whether both ends have an IP address and a port. */
  readonly hasPorts: boolean
  /**
   * Whether `finish` waits for the acknowledgement of the peer's adapter, as on RoCE. The peer's own end may overtake it:
   * nothing there orders the two.
   */
  readonly finishIsAcknowledged: boolean
  /** The error for a connection that nobody listens for. */
  readonly refusal: string
  /** Makes a server, and listens on any free port. */
  listen(options: SocketOptions): Promise<AnyServer>
  /** Listens where another server does, which fails. */
  listenAgain(server: AnyServer): AnyServer
  /** Begins to connect. */
  connect(server: AnyServer, options: SocketOptions): AnySocket
}

/** `node:net`, over TCP. */
export const netGround: Ground = {
  name: 'net.Socket',
  hasReset: true,
  hasPorts: true,
  finishIsAcknowledged: false,
  refusal: 'ECONNREFUSED',
  async listen(options) {
    const server = net.createServer(options).listen(0, '127.0.0.1')
    await once(server, 'listening')
    addresses.set(server, server.address())
    return server
  },
  listenAgain(server) {
    const { address, port } = server.address() as net.AddressInfo
    return net.createServer().listen(port, address)
  },
  connect(server, options) {
    const { address, port } = addresses.get(server) as net.AddressInfo
    return net.connect({ host: address, port, ...options })
  },
}

/** Where servers listen, or did. */
const addresses = new WeakMap<object, unknown>()

/** How a transport is made into a ground. */
export interface TransportSetting {
  readonly name: string
  readonly hasReset?: boolean
  readonly hasPorts?: boolean
  readonly finishIsAcknowledged?: boolean
  readonly refusal: string
  /** A client's builder, and a server's, with where it listens. */
  readonly setup: () => {
    readonly client: TransportBuilder
    readonly server: TransportBuilder
    readonly host: string
  }
}

/** Streams over a transport. */
export function streamGround(setting: TransportSetting): Ground {
  const { client, server: serverBuilder, host } = setting.setup()
  return {
    name: setting.name,
    hasReset: setting.hasReset ?? true,
    hasPorts: setting.hasPorts ?? true,
    finishIsAcknowledged: setting.finishIsAcknowledged ?? false,
    refusal: setting.refusal,
    async listen(options) {
      const server = createStreamServer(serverBuilder, options)
      server.listen({ host, port: 0 })
      await once(server, 'listening')
      addresses.set(server, server.listeningAddress)
      return server
    },
    listenAgain(server) {
      return createStreamServer(serverBuilder).listen(
        addresses.get(server) as net.AddressInfo & { host: string },
      )
    },
    connect(server, options) {
      return connectStream(client, addresses.get(server) as { host: string; port: number }, options)
    },
  }
}
