/** What streams stand on: sockets of Node.js, and each transport, plain and under TLS. Both ends are in this process. */
import { once } from 'node:events'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import nodeTls from 'node:tls'
import type { Address, TransportBuilder } from '@netts/core'
import { LOOPBACK_ADDRESS, useLoopback } from '@netts/loopback'
import { createMockNetwork } from '@netts/mock'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { connectStream, createStreamServer } from '@netts/stream'
import { tcp } from '@netts/tcp'
import { type TlsOptions, tls } from '@netts/tls'
import { Authority } from '../../../../packages/tls/test/certificates.js'
import { PlainDuplex } from './plain-duplex.js'

/** A kind of stream. */
export interface Stand {
  readonly title: string
  /** Listens, and hands over what connects. */
  open(accept: (stream: Duplex) => void): Promise<OpenStand>
}

/** A {@link Stand} that listens. */
export interface OpenStand {
  connect(): Duplex
  close(): void
}

/** A transport, and where it listens. */
export interface Driver {
  readonly title: string
  readonly builder: TransportBuilder
  readonly address: Address
}

useLoopback()
const here = { host: '127.0.0.1', port: 0 }

/** The transports; both ends of RDMA are on the loopback device, which costs processor time as well. */
export const drivers: readonly Driver[] = [
  { title: 'tcp', builder: tcp(), address: here },
  { title: 'mock', builder: createMockNetwork().builder(), address: { host: 'service', port: 0 } },
  { title: 'rdma-sendrecv', builder: sendRecv(), address: { host: LOOPBACK_ADDRESS, port: 0 } },
  { title: 'rdma-ring', builder: ring(), address: { host: LOOPBACK_ADDRESS, port: 0 } },
]

const authority = new Authority('benchmark')
/** HTTP/2 of Node.js wants to hear that it was chosen; HTTP/1.1 does not ask. */
const ALPNProtocols = ['h2']
const client = { ca: authority.cert, servername: 'server', ALPNProtocols }
const server = { ...authority.issue({ name: 'server', altNames: 'DNS:server' }), ALPNProtocols }

/** What is encrypted in the same way by `node:tls` and by `tls()`. */
export const credentials = { client, server, versions: { minVersion: 'TLSv1.3' } } as const

/** The same drivers under TLS: the client's builder, and the server's. */
export const tlsDrivers = (options: TlsOptions = {}) =>
  drivers.map(({ title, builder, address }) => ({
    title: `tls(${title})`,
    client: tls(builder, { ...client, ...options }),
    server: tls(builder, { ...server, ...options }),
    address,
  }))

/** Sockets, or what is made of them. */
function sockets(title: string, wrap: (socket: net.Socket) => Duplex): Stand {
  return {
    title,
    async open(accept) {
      const listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
        accept(wrap(socket)),
      )
      const port = await listening(listener)
      return {
        connect: () => wrap(net.connect({ port, host: here.host, noDelay: true })),
        close: () => listener.close(),
      }
    },
  }
}

export const netSockets = sockets('node:net', (socket) => socket)
export const plainDuplexes = sockets('a plain Duplex around node:net', (socket) => new PlainDuplex(socket))

export const tlsSockets: Stand = {
  title: 'node:tls',
  async open(accept) {
    const listener = nodeTls.createServer({ ...server, ...credentials.versions }, accept)
    const port = await listening(listener)
    return {
      connect: () => nodeTls.connect({ port, host: here.host, ...client, ...credentials.versions }),
      close: () => listener.close(),
    }
  },
}

/** TLS by Node.js over a Duplex of JavaScript, as it has to be over any wire but a socket. */
export const tlsPlainDuplexes: Stand = {
  title: 'node:tls over a plain Duplex',
  async open(accept) {
    const secureContext = nodeTls.createSecureContext({ ...server, ...credentials.versions })
    const { connect, close } = await plainDuplexes.open((stream) =>
      accept(new nodeTls.TLSSocket(stream, { isServer: true, secureContext, ALPNProtocols })),
    )
    return {
      connect: () => nodeTls.connect({ socket: connect(), ...client, ...credentials.versions }),
      close,
    }
  },
}

/** Streams over a transport. */
export function nettsStand(
  title: string,
  clientBuilder: TransportBuilder,
  serverBuilder: TransportBuilder,
  address: Address,
): Stand {
  return {
    title,
    async open(accept) {
      const listener = createStreamServer(serverBuilder, { allowHalfOpen: true }, accept)
      listener.listen(address)
      await once(listener, 'listening')
      const target = listener.listeningAddress!
      return { connect: () => connectStream(clientBuilder, target), close: () => listener.close() }
    },
  }
}

async function listening(listener: net.Server): Promise<number> {
  listener.listen(0, here.host)
  await once(listener, 'listening')
  return (listener.address() as net.AddressInfo).port
}
