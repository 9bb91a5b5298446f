/** A stream over a transport: the public interface and its implementation. */
import type { Duplex } from 'node:stream'
import { isNettsError, NettsError, type Transport } from '@netts/core'
import { nextTick } from '@netts/core/driver'
import { runProgram } from './program.js'
import { type SocketAddress, SocketLike, type StreamReadyState } from './socket-like.js'
import type { StreamConfig } from './stream-options.js'
import { Wire, type WireOwner } from './wire.js'

/**
 * A stream over a transport: a Duplex with the members and the behaviour of `net.Socket`.
 *
 * **The end.** `end()` is a half-close; `finish` is emitted once the wire has taken everything. On RoCE and InfiniBand the
 * peer's adapter acknowledges that, and the peer's `end` may come before it. Without `allowHalfOpen` the peer's end ends
 * this side too. When both sides have ended, the stream is destroyed, and `close` is the last event.
 *
 * **`destroy()`** is not a reset, as with `net.Socket`: bytes that the transport has accepted are still delivered, and then
 * the end. Afterwards the wire is kept open until the peer ends too, for `closeTimeoutMs` at most. If bytes that were
 * written have to be dropped, the peer gets a reset instead of an end, so that it does not take a part for the whole.
 * `resetAndDestroy()` always resets.
 *
 * **Errors** are those of the transport: a {@link NettsError} with its code, followed by `close`. Bytes that arrived before
 * the error can be read first, unless a write is waiting.
 *
 * @typeParam T the transport underneath
 */
export interface TransportStream<T extends Transport = Transport> extends Duplex {
  /**
   * The transport underneath; `undefined` until it is connected. It belongs to the stream: only its metadata may be used.
   */
  readonly transport: T | undefined
  /** Whether it is being connected. The events `connect` and `ready`, or `error` and `close`, follow. */
  readonly connecting: boolean
  /** Whether it has no transport: it is being connected, or the attempt failed. */
  readonly pending: boolean
  /** The state: see {@link StreamReadyState}. */
  readonly readyState: StreamReadyState
  /** How many bytes were received from the transport. */
  readonly bytesRead: number
  /** How many bytes were written, those that still wait included. */
  readonly bytesWritten: number
  /** How many bytes the transport has accepted. It grows during a write too, and so shows its progress. */
  readonly bytesAccepted: number
  /** The peer's IP address; `undefined` until it is connected, and for a path. */
  readonly remoteAddress: string | undefined
  /** The peer's port; `undefined` until it is connected, and for a path. */
  readonly remotePort: number | undefined
  /** `IPv4` or `IPv6`; `undefined` until it is connected, and for a path. */
  readonly remoteFamily: string | undefined
  /** The IP address at this end; `undefined` until it is connected, and for a path. */
  readonly localAddress: string | undefined
  /** The port at this end; `undefined` until it is connected, and for a path. */
  readonly localPort: number | undefined
  /** `IPv4` or `IPv6`; `undefined` until it is connected, and for a path. */
  readonly localFamily: string | undefined
  /** The address at this end, as `net.Socket.address()` returns it. */
  address(): SocketAddress
  /** The time that {@link setTimeout} was called with last, in milliseconds; `undefined` before. */
  readonly timeout: number | undefined
  /** Whether the bytes are encrypted. Nothing here sets it; the program may, for frameworks that read it. */
  encrypted: boolean | undefined
  /** The application protocol, such as `h2`. The program may set it, for libraries that read it, such as undici. */
  alpnProtocol: string | false | undefined
  /**
   * Emits `timeout` when nothing was sent or received for a time, and does nothing else. The timer does not keep the
   * process alive.
   *
   * @param timeoutMs in milliseconds, up to 2^31 - 1; 0 turns it off
   * @param callback a listener for the next `timeout`; with 0 it is removed
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a time out of range, or a callback that is not a function
   */
  setTimeout(timeoutMs: number, callback?: () => void): this
  /** No effect: drivers send at once. */
  setNoDelay(noDelay?: boolean): this
  /** No effect: the options of the transport's builder decide how a silent peer is detected. */
  setKeepAlive(enable?: boolean, initialDelayMs?: number): this
  /** Keeps the process alive while the stream is open. This is the initial state. */
  ref(): this
  /** Lets the process exit while the stream is open. */
  unref(): this
  /**
   * Does not connect: the stream does so itself. It is for libraries that call it on a stream that they are given: the last
   * parameter, if a function, becomes a listener for `connect`, which is emitted again if the stream is connected.
   */
  connect(...parameters: unknown[]): this
  /** Ends this side, and destroys the stream once everything has left. */
  destroySoon(): void
  /** Destroys the stream and drops unsent bytes. The peer sees an error if the transport supports resets, else an end. */
  resetAndDestroy(): this
}

/** The transport of a stream, or how it is connected. */
export type TransportSource<T extends Transport> =
  | { readonly transport: T }
  | { readonly connect: (signal: AbortSignal) => Promise<T> }

/** See {@link TransportStream}. */
export class StreamOverTransport<T extends Transport>
  extends SocketLike
  implements TransportStream<T>, WireOwner
{
  readonly #config: StreamConfig
  #transport: T | undefined
  #wire: Wire | undefined
  #connecting: AbortController | undefined
  #isReferenced = true
  #isReset = false
  /** The error that ended the transport, while bytes that arrived before it wait to be read. */
  #failure: NettsError | undefined

  constructor(source: TransportSource<T>, config: StreamConfig) {
    super({
      allowHalfOpen: config.allowHalfOpen,
      readableHighWaterMark: config.readableHighWaterMark,
      writableHighWaterMark: config.writableHighWaterMark,
      // Until `done` is called, Node.js keeps what is written, and reads nothing.
      ...('connect' in source && { construct: (done) => this.#connect(source.connect, done) }),
    })
    this.#config = config
    if ('connect' in source) {
      this.#connecting = new AbortController()
      // Writes before the event `connect` stay in front of those that its listeners make.
      this.cork()
    } else {
      this.#attach(source.transport)
      // So that the peer's end, or its loss, is seen although nothing reads yet.
      this.read(0)
    }
  }

  get transport(): T | undefined {
    return this.#transport
  }

  protected get ends(): T | undefined {
    return this.#transport
  }

  get connecting(): boolean {
    return this.#connecting !== undefined
  }

  get bytesRead(): number {
    return this.#wire?.bytesRead ?? 0
  }

  get bytesWritten(): number {
    return (this.#wire?.bytesWritten ?? 0) + this.writableLength
  }

  get bytesAccepted(): number {
    return this.#wire?.bytesAccepted ?? 0
  }

  ref(): this {
    this.#isReferenced = true
    this.#transport?.ref()
    return this
  }

  unref(): this {
    this.#isReferenced = false
    this.#transport?.unref()
    return this
  }

  resetAndDestroy(): this {
    this.#isReset = true
    return this.destroy()
  }

  override destroy(error?: Error): this {
    this.#connecting?.abort()
    return super.destroy(error)
  }

  override read(size?: number): unknown {
    const bytes: unknown = super.read(size)
    // Everything that arrived before the failure was read, or is less than the program asked for.
    if (bytes === null && size !== 0 && this.#failure) this.destroy(this.#failure)
    return bytes
  }

  override _read(): void {
    this.#wire?.read()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#wire!.write([bytes], done)
  }

  override _writev(
    writes: { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#wire!.write(
      writes.map(({ chunk }) => chunk),
      done,
    )
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#wire!.finish(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const close = (reason: Error | null) => {
      done(reason)
      // After `error`, which Node.js emits in the next tick.
      nextTick(() => this.emit('close', reason !== null))
    }
    const wire = this.#wire
    if (!wire || wire.isClosed) {
      close(error)
    } else if (error === null && !this.#isReset && this.writableFinished && wire.hasPeerEnded) {
      // Only the end is not sent yet.
      wire.close()
      void wire.closed.then((reason) => close(reason ?? null))
    } else {
      if (this.#isReset || this.writableLength > 0) wire.reset(error ?? undefined)
      else wire.close()
      close(error)
    }
  }

  // For the wire.

  onBytes(bytes: Buffer): boolean {
    return this.destroyed || this.push(bytes)
  }

  onPeerEnd(): void {
    if (this.destroyed) return
    this.push(null)
    // If nothing waits to be read, `end` is emitted without a read.
    this.read(0)
  }

  onClosed(error: NettsError | undefined): void {
    if (!error || this.destroyed) return
    if (this.readableLength === 0) {
      this.destroy(error)
      return
    }
    this.#failure = error
    // A reader that waits for more bytes than there are has to read again.
    if (this.listenerCount('readable') > 0) this.emit('readable')
  }

  protected get queuedBytes(): number {
    return this.#wire?.queuedBytes ?? 0
  }

  #connect(connect: (signal: AbortSignal) => Promise<T>, done: (error?: Error | null) => void): void {
    connect(this.#connecting!.signal).then(
      (transport) => {
        this.#connecting = undefined
        if (this.destroyed) transport.disconnect()
        else this.#attach(transport)
        done()
        // Node.js takes one tick to notice the end of the construction, and another one to continue.
        nextTick(() => nextTick(() => this.#onConnected()))
      },
      (error: unknown) => {
        this.#connecting = undefined
        done(this.destroyed ? null : toError(error))
      },
    )
  }

  #onConnected(): void {
    if (this.destroyed) return
    this.uncork()
    this.onActivity()
    this.read(0)
    runProgram(() => this.emit('connect'))
    runProgram(() => this.emit('ready'))
  }

  #attach(transport: T): void {
    this.#transport = transport
    if (!this.#isReferenced) transport.unref()
    this.#wire = new Wire(transport, this, this.#config)
  }
}

function toError(error: unknown): NettsError {
  if (isNettsError(error)) return error
  return new NettsError('ERR_NETTS_INTERNAL', 'a driver threw while it connected', {
    cause: error,
    operation: 'connect',
  })
}
