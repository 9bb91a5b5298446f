/** The listener over node:net. */
import { createServer, type Server, type Socket } from 'node:net'
import { type AcceptOptions, type Address, isPathAddress, type TransportListener } from '@netts/core'
import { BaseListener } from '@netts/core/driver'
import { listeningAddress, serverEnds } from './addresses.js'
import { adopt } from './adopt.js'
import { acceptFailed, listenFailed } from './errors.js'
import type { TcpConfig } from './options.js'
import { ReadBuffers } from './read-buffers.js'
import { TcpTransport } from './transport.js'

/** Listens. Rejects with `ERR_NETTS_LISTEN_FAILED`. @param address a checked address */
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
    try {
      server.listen({ ...address, backlog }, () => {
        server.off('error', onError)
        resolve()
      })
    } catch (error) {
      // Node.js forbids it, with --permission for example.
      onError(error as Error)
    }
  })
  return new TcpListener(server, listeningAddress(server, address), backlog, config)
}

class TcpListener extends BaseListener<TcpTransport> {
  readonly address: Address
  readonly #server: Server
  readonly #config: TcpConfig
  #open = 0

  constructor(server: Server, address: Address, backlog: number, config: TcpConfig) {
    super(backlog)
    this.#server = server
    this.address = address
    this.#config = config
    server.on('connection', (socket) => this.#onConnection(socket))
    server.on('error', (error) => this.onAcceptError(acceptFailed(error, address)))
  }

  override async accept(options?: AcceptOptions): Promise<TcpTransport | undefined> {
    const transport = await super.accept(options)
    transport?.start()
    return transport
  }

  protected stop(): void {
    this.#server.close()
  }

  ref(): void {
    this.#server.ref()
  }

  unref(): void {
    this.#server.unref()
  }

  #onConnection(socket: Socket): void {
    const full = this.#open >= this.#config.maxConnections || !this.queue.hasRoom
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
    this.queue.push(new TcpTransport(adopted ?? socket, ends, this.#config, adopted && reads))
  }
}
