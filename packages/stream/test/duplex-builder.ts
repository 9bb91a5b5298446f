/** Builders whose transports are made of Duplexes by `transportFromDuplex`: sockets of node:net, or pairs in memory. */
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import {
  type Address,
  formatAddress,
  type HostAddress,
  isPathAddress,
  NettsError,
  type Transport,
  type TransportBuilder,
} from '@netts/core'
import { BaseListener, createBuilder } from '@netts/core/driver'
import { type TransportFromDuplexOptions, transportFromDuplex } from '../src/transport-from-duplex.js'

class DuplexListener extends BaseListener<Transport> {
  readonly address: Address
  readonly #onStop: () => void

  constructor(address: Address, backlog: number, onStop: () => void) {
    super(backlog)
    this.address = address
    this.#onStop = onStop
  }

  push(duplex: Duplex, options: TransportFromDuplexOptions): void {
    if (this.queue.hasRoom) this.queue.push(transportFromDuplex(duplex, options))
    else duplex.destroy()
  }

  protected stop(): void {
    this.#onStop()
  }

  ref(): void {}
  unref(): void {}
}

function failed(
  code: 'ERR_NETTS_CONNECT_FAILED' | 'ERR_NETTS_LISTEN_FAILED',
  address: Address,
  cause?: Error,
) {
  return new NettsError(code, `${formatAddress(address)}: ${cause?.message ?? 'nobody is there'}`, {
    address,
    cause,
  })
}

/** Over TCP sockets of node:net. */
export function overSockets(options: TransportFromDuplexOptions = {}): TransportBuilder {
  return createBuilder<Transport>({
    name: 'sockets',
    connect: (address, ended) =>
      new Promise((resolve, reject) => {
        const socket = connectSocket({ ...(address as HostAddress), allowHalfOpen: true, noDelay: true })
        ended.onabort = () => socket.destroy()
        socket.once('error', (error) => reject(failed('ERR_NETTS_CONNECT_FAILED', address, error)))
        socket.once('connect', () => {
          ended.onabort = undefined
          resolve(transportFromDuplex(socket, { ...options, remoteAddress: address }))
        })
      }),
    listen: async (address, backlog) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
      await listening(server, address, backlog)
      const { port } = server.address() as { port: number }
      const listener = new DuplexListener({ ...(address as HostAddress), port }, backlog, () =>
        server.close(),
      )
      server.on('connection', (socket: Socket) => listener.push(socket, options))
      return listener
    },
  })
}

/** Resolves when the server listens. */
export function listening(server: Server, address: Address, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(failed('ERR_NETTS_LISTEN_FAILED', address, error)))
    server.listen({ ...address, backlog }, resolve)
  })
}

/** An address of nobody (RFC 5737). Where pairs are the network, connecting to it gets no answer. */
const SILENT_ADDRESS: HostAddress = { host: '192.0.2.1', port: 9 }

/** A network of pairs of Duplexes in memory. */
export interface PairNetwork {
  readonly builder: TransportBuilder
  readonly silentAddress: Address
  /** The Duplexes under every connection so far, in order. */
  readonly links: readonly { readonly client: Duplex; readonly server: Duplex }[]
}

/**
 * Over pairs of Duplexes in memory: each is a network of its own.
 * @param highWaterMark what each of them buffers. @default that of Node.js
 */
export function overPairs(options: TransportFromDuplexOptions = {}, highWaterMark?: number): PairNetwork {
  const listeners = new Map<string, DuplexListener>()
  const links: { client: Duplex; server: Duplex }[] = []
  let lastPort = 1000
  const builder = createBuilder<Transport>({
    name: 'pairs',
    connect: async (remoteAddress, ended) => {
      if (formatAddress(remoteAddress) === formatAddress(SILENT_ADDRESS)) {
        await new Promise<void>((resolve) => {
          ended.onabort = () => resolve()
        })
      }
      await new Promise((resolve) => setImmediate(resolve))
      ended.throwIfAborted()
      const listener = listeners.get(formatAddress(remoteAddress))
      if (!listener) throw failed('ERR_NETTS_CONNECT_FAILED', remoteAddress)
      const localAddress = { host: '127.0.0.1', port: ++lastPort }
      const [client, server] = linkedPair(highWaterMark)
      links.push({ client, server })
      listener.push(server, { ...options, localAddress: remoteAddress, remoteAddress: localAddress })
      return transportFromDuplex(client, { ...options, localAddress, remoteAddress })
    },
    listen: async (asked, backlog) => {
      const address = isPathAddress(asked) || asked.port > 0 ? asked : { host: asked.host, port: ++lastPort }
      const key = formatAddress(address)
      if (listeners.has(key)) throw failed('ERR_NETTS_LISTEN_FAILED', address)
      const listener = new DuplexListener(address, backlog, () => listeners.delete(key))
      listeners.set(key, listener)
      return listener
    },
  })
  return { builder, silentAddress: SILENT_ADDRESS, links }
}

/** A pair of Node's own whose ends learn what becomes of each other: in Node.js 20 they do not. */
function linkedPair(highWaterMark: number | undefined): [Duplex, Duplex] {
  const [near, far] = duplexPair(highWaterMark === undefined ? {} : { highWaterMark })
  link(near, far)
  link(far, near)
  return [near, far]
}

function link(gone: Duplex, other: Duplex): void {
  gone.once('close', () => {
    if (!gone.writableFinished) other.destroy()
    // One that had ended takes what still comes, as a kernel would.
    other._write = (_bytes, _encoding, done) => done()
    other._final = (done) => done()
  })
}
