/** Listening over node:net. */
import { createServer, type Server, type Socket } from 'node:net'
import { type AcceptOptions, type Address, isPathAddress, type TransportListener } from '@netts/core'
import { AcceptQueue } from '@netts/core/driver'
import { listeningAddress, serverEnds } from './addresses.js'
import { adopt } from './adopt.js'
import { listenFailed } from './errors.js'
import type { TcpConfig } from './options.js'
import { ReadBuffers } from './read-buffers.js'
import { TcpTransport } from './transport.js'

/** @param address checked */
export async function openListener(
  address: Address,
  backlog: number,
  config: TcpConfig,
): Promise<TransportListener> {
  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: config.keepAlive,
    keepAliveInitialDelay: config.keepAliveDelayMs,
    // Nothing is read before it is accepted: see TcpTransport.start.
    pauseOnConnect: true,
  })
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error) => reject(listenFailed(error, address))
    server.once('error', onError)
    server.listen({ ...address, backlog }, () => {
      server.off('error', onError)
      resolve()
    })
  })
  return new TcpListener(server, listeningAddress(server, address), backlog, config)
}

class TcpListener implements TransportListener {
  readonly address: Address
  readonly #server: Server
  readonly #config: TcpConfig
  readonly #queue: AcceptQueue<TcpTransport>
  #open = 0

  constructor(server: Server, address: Address, backlog: number, config: TcpConfig) {
    this.#server = server
    this.address = address
    this.#config = config
    this.#queue = new AcceptQueue(backlog)
    server.on('connection', (socket) => this.#onConnection(socket))
    // One connection could not be accepted, for want of memory; the next one may.
    server.on('error', (error) => process.emitWarning(error))
  }

  async accept(options?: AcceptOptions): Promise<TcpTransport | undefined> {
    const transport = await this.#queue.accept(options)
    transport?.start()
    return transport
  }

  async close(): Promise<void> {
    this.#server.close()
    this.#queue.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TcpTransport, void, undefined> {
    for (let transport = await this.accept(); transport; transport = await this.accept()) yield transport
  }

  #onConnection(socket: Socket): void {
    const full = this.#open >= this.#config.maxConnections || !this.#queue.hasRoom
    const ends = full ? undefined : serverEnds(socket, this.address)
    if (!ends) {
      socket.on('error', () => {})
      if (isPathAddress(this.address)) socket.destroy()
      else socket.resetAndDestroy()
      return
    }
    const reads = new ReadBuffers()
    const adopted = adopt(socket, reads)
    if (this.#config.maxConnections !== Number.POSITIVE_INFINITY) {
      this.#open++
      ;(adopted ?? socket).once('close', () => this.#open--)
    }
    this.#queue.push(new TcpTransport(adopted ?? socket, ends, this.#config, adopted && reads))
  }
}
