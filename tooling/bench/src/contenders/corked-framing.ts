/**
 * A length-prefixed protocol on node:net as an expert writes it: one buffer and one write a message, the writes of a
 * turn under one cork, and a reader that looks at messages where they arrived.
 */
import type { Socket } from 'node:net'
import { type Channel, ChannelEvents, type Wire } from './contender.js'
import { closeSocket, socketWire, writeCorked } from './node-net.js'

const HEADER_BYTES = 4

/** Up to this, copying a message behind its header costs less than a second write. Found by trial. */
const COPY_LIMIT = 4096

/** Bytes that may wait in the socket before the sender waits. Found by trial: more is not faster, less is slower. */
const HIGH_WATER_MARK = 256 * 1024

type Take = Channel['onReceive']

/** Cuts a stream into messages. Only one that the end of a chunk cuts in two is copied, once. */
export class FrameReader {
  readonly #take: Take
  readonly #header = Buffer.alloc(HEADER_BYTES)
  /** How much of the header arrived, while the end of a chunk has cut it in two. */
  #headerFilled = 0
  /** The message of which a part arrived, in memory of its whole length. */
  #message: Buffer | undefined
  #messageFilled = 0

  /** @param take gets each message; its bytes are valid as long as it likes */
  constructor(take: Take) {
    this.#take = take
  }

  read(chunk: Buffer): void {
    let at = this.#resume(chunk)
    while (chunk.length - at >= HEADER_BYTES) {
      const start = at + HEADER_BYTES
      const byteLength = chunk.readUInt32BE(at)
      at = start + byteLength
      if (at > chunk.length) {
        this.#message = Buffer.allocUnsafe(byteLength)
        this.#messageFilled = chunk.copy(this.#message, 0, start)
        return
      }
      this.#take(chunk, start, byteLength)
    }
    if (at < chunk.length) this.#headerFilled = chunk.copy(this.#header, 0, at)
  }

  /** Completes what the last chunk left incomplete. @returns how much of this chunk that took */
  #resume(chunk: Buffer): number {
    let at = 0
    if (this.#headerFilled > 0) {
      at = chunk.copy(this.#header, this.#headerFilled)
      this.#headerFilled += at
      if (this.#headerFilled < HEADER_BYTES) return at
      this.#headerFilled = 0
      this.#message = Buffer.allocUnsafe(this.#header.readUInt32BE(0))
      this.#messageFilled = 0
    }
    const message = this.#message
    if (!message) return at
    const copied = chunk.copy(message, this.#messageFilled, at)
    this.#messageFilled += copied
    if (this.#messageFilled === message.length) {
      this.#message = undefined
      this.#take(message, 0, message.length)
    }
    return at + copied
  }
}

class CorkedFramingChannel extends ChannelEvents implements Channel {
  readonly #socket: Socket
  #senderWaits = false
  #closing = false

  constructor(socket: Socket) {
    super()
    this.#socket = socket
    const reader = new FrameReader((chunk, byteOffset, byteLength) =>
      this.onReceive(chunk, byteOffset, byteLength),
    )
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => reader.read(chunk))
    socket.on('drain', () => this.#drained())
    socket.on('error', (error) => this.#closing || this.onFailure(error))
    socket.on('close', () => this.#closing || this.onFailure(new Error('the socket closed early')))
    socket.on('end', () => {
      this.#closing = true
    })
  }

  /** The socket's own mark is lower: it tells of drains that nobody waits for. */
  #drained(): void {
    if (!this.#senderWaits) return
    this.#senderWaits = false
    this.onDrain()
  }

  send(payload: Uint8Array): boolean {
    const socket = this.#socket
    const { length } = payload
    const copies = length <= COPY_LIMIT
    const head = Buffer.allocUnsafe(copies ? HEADER_BYTES + length : HEADER_BYTES)
    head.writeUInt32BE(length, 0)
    if (copies) head.set(payload, HEADER_BYTES)
    writeCorked(socket, head)
    if (!copies) writeCorked(socket, payload)
    this.#senderWaits = socket.writableLength >= HIGH_WATER_MARK
    return !this.#senderWaits
  }

  echo(chunk: Uint8Array, byteOffset: number, byteLength: number): void {
    this.send(chunk.subarray(byteOffset, byteOffset + byteLength))
  }

  close(): Promise<void> {
    this.#closing = true
    return closeSocket(this.#socket)
  }
}

export function corkedFraming(): Wire {
  return socketWire((socket) => new CorkedFramingChannel(socket))
}
