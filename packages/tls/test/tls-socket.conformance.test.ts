/** The suite that every driver passes, over TLSSockets of `node:tls` that somebody else made, by `transportFromDuplex`. */
import type { AddressInfo } from 'node:net'
import { connect as connectTls, createServer, type TLSSocket } from 'node:tls'
import { transportConformance } from '@netts/conformance'
import {
  type Address,
  formatAddress,
  type HostAddress,
  NettsError,
  type Transport,
  type TransportBuilder,
} from '@netts/core'
import { BaseListener, createBuilder } from '@netts/core/driver'
import { transportFromDuplex } from '@netts/stream'
import { describe, it } from 'vitest'
import { Authority } from './certificates.js'
import { optionsOf, silentTcpAddress, startPeer } from './wires.js'

const authority = new Authority('netts test authority')
const ca = authority.cert
const credentials = authority.issue({ name: 'server', altNames: 'IP:127.0.0.1' })

class Listener extends BaseListener<Transport> {
  readonly address: Address
  readonly #onStop: () => void

  constructor(address: Address, backlog: number, onStop: () => void) {
    super(backlog)
    this.address = address
    this.#onStop = onStop
  }

  push(socket: TLSSocket): void {
    if (this.queue.hasRoom) this.queue.push(transportFromDuplex(socket))
    else socket.destroy()
  }

  protected stop(): void {
    this.#onStop()
  }

  ref(): void {}
  unref(): void {}
}

function builder(): TransportBuilder {
  return createBuilder<Transport>({
    name: 'tls sockets',
    connect: (address, ended) =>
      new Promise((resolve, reject) => {
        const options = { ...(address as HostAddress), ca, allowHalfOpen: true }
        const socket = connectTls(options)
        ended.onabort = () => socket.destroy()
        socket.once('error', (cause) => {
          const where = formatAddress(address)
          reject(new NettsError('ERR_NETTS_CONNECT_FAILED', `connect to ${where} failed`, { cause, address }))
        })
        socket.once('secureConnect', () => {
          ended.onabort = undefined
          resolve(transportFromDuplex(socket, { remoteAddress: address }))
        })
      }),
    listen: (address, backlog) =>
      new Promise((resolve, reject) => {
        // Half-open, node:tls waits for the rest of a handshake whose client is gone, for two minutes by default.
        const server = createServer({ ...credentials, allowHalfOpen: true, handshakeTimeout: 500 })
        server.once('error', (cause) => {
          const where = formatAddress(address)
          reject(new NettsError('ERR_NETTS_LISTEN_FAILED', `listen on ${where} failed`, { cause, address }))
        })
        server.listen({ ...address, backlog }, () => {
          const { port } = server.address() as AddressInfo
          const listener = new Listener({ ...(address as HostAddress), port }, backlog, () => server.close())
          server.on('secureConnection', (socket) => listener.push(socket))
          server.on('tlsClientError', (_error, socket) => socket.destroy())
          resolve(listener)
        })
      }),
  })
}

transportConformance({
  name: 'transportFromDuplex over sockets of node:tls',
  capabilities: { detectsPeerCrash: false, reset: false },
  setup: () => ({
    builder: builder(),
    listenAddress: () => ({ host: '127.0.0.1', port: 0 }),
    silentAddress: silentTcpAddress,
    startCrashablePeer: (task) =>
      startPeer({ wire: 'tcp', task, options: optionsOf(task, { client: { ca }, server: credentials }) }),
  }),
  describe,
  it,
  bulkByteLength: 2 ** 20,
  connections: 40,
  schedules: 6,
})
