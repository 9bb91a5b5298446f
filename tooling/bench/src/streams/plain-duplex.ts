/**
 * The least that a stream in JavaScript around a socket can be: what HTTP costs over any Duplex, since Node.js parses HTTP
 * straight from the handle of a socket alone.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

type Done = (error?: Error | null) => void

export class PlainDuplex extends Duplex {
  readonly #socket: Socket

  constructor(socket: Socket) {
    super({ allowHalfOpen: true, readableHighWaterMark: 128 << 10, writableHighWaterMark: 64 << 10 })
    this.#socket = socket
    socket.on('data', (bytes) => {
      if (!this.push(bytes)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
    socket.on('timeout', () => this.emit('timeout'))
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#socket.write(bytes, done)
  }

  override _writev(writes: { chunk: Buffer }[], done: Done): void {
    this.#socket.cork()
    writes.forEach(({ chunk }, index) => {
      this.#socket.write(chunk, index === writes.length - 1 ? done : undefined)
    })
    this.#socket.uncork()
  }

  override _final(done: Done): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#socket.destroy()
    done(error)
  }

  setNoDelay(noDelay: boolean): this {
    this.#socket.setNoDelay(noDelay)
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setTimeout(timeoutMs: number, callback?: () => void): this {
    this.#socket.setTimeout(timeoutMs, callback)
    return this
  }

  ref(): this {
    this.#socket.ref()
    return this
  }

  unref(): this {
    this.#socket.unref()
    return this
  }
}
