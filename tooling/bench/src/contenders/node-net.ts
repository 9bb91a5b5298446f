/** Raw node:net: bytes without messages, one write a payload, or several under one cork. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Channel, ChannelEvents, type Endpoint, type Wire } from './contender.js'

/** How payloads become writes. */
type Writing = 'write-each' | 'cork'

class SocketChannel extends ChannelEvents implements Channel {
  readonly #socket: Socket
  readonly #corks: boolean
  #closing = false

  constructor(socket: Socket, writing: Writing) {
    super()
    this.#socket = socket
    this.#corks = writing === 'cork'
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.onReceive(chunk, 0, chunk.length))
    socket.on('drain', () => this.onDrain())
    socket.on('error', (error) => this.#closing || this.onFailure(error))
    socket.on('close', () => this.#closing || this.onFailure(new Error('the socket closed early')))
    socket.on('end', () => {
      this.#closing = true
    })
  }

  send(payload: Uint8Array): boolean {
    return this.#corks ? writeCorked(this.#socket, payload) : this.#socket.write(payload)
  }

  echo(chunk: Uint8Array): void {
    this.send(chunk)
  }

  close(): Promise<void> {
    this.#closing = true
    return closeSocket(this.#socket)
  }
}

/** Writes under the cork of this turn. @returns what `write` returns */
export function writeCorked(socket: Socket, bytes: Uint8Array): boolean {
  if (socket.writableCorked === 0) {
    socket.cork()
    process.nextTick(uncork, socket)
  }
  return socket.write(bytes)
}

function uncork(socket: Socket): void {
  socket.uncork()
}

/** Ends a socket and waits until it is closed both ways. */
export function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve()
    socket.once('close', () => resolve())
    socket.resume()
    socket.end()
  })
}

/** Listens on a port of the kernel's choice. */
export function listenOn(server: Server, host: string): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') return reject(new Error('not a TCP address'))
      resolve({ host, port: address.port })
    })
  })
}

/** Connects a socket. */
export function connectTo(endpoint: Endpoint): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (!('port' in endpoint)) return reject(new Error('not a host and port'))
    const socket = connect(endpoint.port, endpoint.host)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** Wires made of sockets, which differ in what wraps a socket. */
export function socketWire(wrap: (socket: Socket) => Channel): Wire {
  return {
    async listen({ host }, accept) {
      const server = createServer((socket) => accept(wrap(socket)))
      const endpoint = await listenOn(server, host)
      return {
        endpoints: [endpoint],
        close: () => new Promise((resolve) => server.close(() => resolve())),
      }
    },
    connect: async (endpoint) => wrap(await connectTo(endpoint)),
  }
}

/** @param writing one write for each payload, or one cork around what is sent in one turn */
export function nodeNet(writing: Writing): Wire {
  return socketWire((socket) => new SocketChannel(socket, writing))
}
