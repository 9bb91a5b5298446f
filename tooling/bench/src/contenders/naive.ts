/**
 * A length-prefixed protocol on node:net as most people write it: a new buffer and one write for each
 * message, and a reader that concatenates what arrived to what was left.
 */
import type { Socket } from 'node:net'
import { type Channel, ChannelEvents, type Wire } from './contender.js'
import { closeSocket, socketWire } from './node-net.js'

class NaiveChannel extends ChannelEvents implements Channel {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #closing = false

  constructor(socket: Socket) {
    super()
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.onDrain())
    socket.on('error', (error) => this.#closing || this.onFailure(error))
    socket.on('close', () => this.#closing || this.onFailure(new Error('the socket closed early')))
    socket.on('end', () => {
      this.#closing = true
    })
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readUInt32BE(0)
      if (this.#received.length < end) return
      const message = this.#received.subarray(4, end)
      this.#received = this.#received.subarray(end)
      this.onReceive(message, 0, message.length)
    }
  }

  send(payload: Uint8Array): boolean {
    const frame = Buffer.allocUnsafe(4 + payload.length)
    frame.writeUInt32BE(payload.length, 0)
    frame.set(payload, 4)
    return this.#socket.write(frame)
  }

  echo(message: Uint8Array): void {
    this.send(message)
  }

  close(): Promise<void> {
    this.#closing = true
    return closeSocket(this.#socket)
  }
}

export function naive(): Wire {
  return socketWire((socket) => new NaiveChannel(socket))
}
