/** `ws`: WebSocket binary messages, uncompressed, sent until a megabyte is buffered. */
import WebSocket, { type RawData, WebSocketServer } from 'ws'
import { type Channel, ChannelEvents, type Wire } from './contender.js'

/** Bytes the library may buffer before the sender waits. Found by trial: more is not faster. */
const HIGH_WATER_MARK = 1 << 20

class WebSocketChannel extends ChannelEvents implements Channel {
  readonly #socket: WebSocket
  #closing = false

  constructor(socket: WebSocket) {
    super()
    this.#socket = socket
    socket.on('message', (data: RawData) => {
      const message = data as Buffer
      this.onReceive(message, 0, message.length)
    })
    socket.on('error', (error) => this.#closing || this.onFailure(error))
    socket.on('close', () => this.#closing || this.onFailure(new Error('the WebSocket closed early')))
  }

  send(payload: Uint8Array): boolean {
    if (this.#socket.bufferedAmount < HIGH_WATER_MARK) {
      this.#socket.send(payload)
      return true
    }
    this.#socket.send(payload, () => this.onDrain())
    return false
  }

  echo(message: Uint8Array): void {
    this.#socket.send(message)
  }

  /** The peer's close ends its side: it is no failure there. */
  expectClose(): void {
    this.#closing = true
  }

  close(): Promise<void> {
    this.#closing = true
    return new Promise((resolve) => {
      if (this.#socket.readyState === WebSocket.CLOSED) return resolve()
      this.#socket.once('close', () => resolve())
      this.#socket.close()
    })
  }
}

export function webSocket(): Wire {
  return {
    listen({ host }, accept) {
      return new Promise((resolve, reject) => {
        const server = new WebSocketServer({ host, port: 0, perMessageDeflate: false })
        server.once('error', reject)
        server.on('connection', (socket) => {
          const channel = new WebSocketChannel(socket)
          channel.expectClose()
          accept(channel)
        })
        server.once('listening', () => {
          const address = server.address()
          if (address === null || typeof address === 'string') return reject(new Error('not a TCP address'))
          resolve({
            endpoints: [{ host, port: address.port }],
            close: () => new Promise((closed) => server.close(() => closed())),
          })
        })
      })
    },
    connect(endpoint) {
      return new Promise((resolve, reject) => {
        if (!('port' in endpoint)) return reject(new Error('not a host and port'))
        const socket = new WebSocket(`ws://${endpoint.host}:${endpoint.port}`, { perMessageDeflate: false })
        socket.once('error', reject)
        const channel = new WebSocketChannel(socket)
        socket.once('open', () => {
          socket.off('error', reject)
          resolve(channel)
        })
      })
    },
  }
}
