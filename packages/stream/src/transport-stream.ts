/** A transport as a stream: the public interface, and the Duplex behind it. */
import type { Duplex } from 'node:stream'
import { isNettsError, NettsError, type Transport } from '@netts/core'
import { nextTick } from '@netts/core/driver'
import { runProgram } from './program.js'
import { type SocketAddress, SocketLike, type StreamReadyState } from './socket-like.js'
import type { StreamConfig } from './stream-options.js'
import { Wire, type WireOwner } from './wire.js'

/**
 * A stream over a transport, with the members and the habits of `net.Socket`.
 *
 * **The end.** `end()` is a half-close; `finish` is emitted once the wire took everything. On RoCE and InfiniBand the
 * peer's adapter acknowledges that, and the peer's `end` may come before it. Without `allowHalfOpen` the
 * peer's end ends this side too. Both sides ended, the stream is destroyed by itself, and `close` is the last event.
 *
 * **`destroy()`** is no reset, as with `net.Socket`: what the transport has accepted is still delivered, and then the
 * end; behind that the wire is kept until the peer ends too, for `closeTimeoutMs` at most. Only where bytes that were
 * written have to be dropped is the peer told by a reset, so that it does not take a part for the whole. `resetAndDestroy()` always resets.
 *
 * **Errors** are those of the transport: a {@link NettsError} with its code, followed by `close`. What arrived before
 * can be read first, unless something is being written.
 */
export interface TransportStream<T extends Transport = Transport> extends Duplex {
  /** What it stands on, for its metadata: the stream polls it. `undefined` while connecting. */
  readonly transport: T | undefined
  /** Whether it is being connected. The events `connect` and `ready` follow, or `error`. */
  readonly connecting: boolean
  /** Whether there is no transport (yet). */
  readonly pending: boolean
  readonly readyState: StreamReadyState
  /** Bytes received, ever. */
  readonly bytesRead: number
  /** Bytes written, ever, those that still wait included. */
  readonly bytesWritten: number
  /** Bytes that the transport has accepted, ever: it grows within a write too, so that progress shows. */
  readonly bytesAccepted: number
  /** The peer's IP address; `undefined` while connecting, and for a path. */
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /** `IPv4` or `IPv6`. */
  readonly remoteFamily: string | undefined
  /** The IP address at this end; `undefined` while connecting, and for a path. */
  readonly localAddress: string | undefined
  readonly localPort: number | undefined
  /** `IPv4` or `IPv6`. */
  readonly localFamily: string | undefined
  /** The address at this end. */
  address(): SocketAddress
  /** What {@link setTimeout} was given last. */
  readonly timeout: number | undefined
  /** Whether the bytes are encrypted, where somebody has set it. @default undefined */
  encrypted: boolean | undefined
  /** The protocol agreed on, where somebody has set it: undici speaks HTTP/2 where it is `h2`. @default undefined */
  alpnProtocol: string | false | undefined
  /**
   * Emits `timeout` when nothing was sent or received for so long, and does nothing else. Keeps no process alive.
   *
   * @param timeoutMs 0 stops it
   * @param callback a listener for the next `timeout`
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a time that no timer can wait
   */
  setTimeout(timeoutMs: number, callback?: () => void): this
  /** Without effect: drivers send at once. */
  setNoDelay(noDelay?: boolean): this
  /** Without effect: the options of the transport's builder say how it looks after a silent peer. */
  setKeepAlive(enable?: boolean, initialDelayMs?: number): this
  /** Keeps the process alive while it is open, which it does from the beginning. */
  ref(): this
  /** Lets the process end although this is open. */
  unref(): this
  /** Without effect but the event `connect`, for callers that connect what they are given. */
  connect(...parameters: unknown[]): this
  /** Ends this side, and destroys the stream once everything has left. */
  destroySoon(): void
  /** Destroys the stream; what waits is dropped, and the peer learns it as an error where the transport can say so. */
  resetAndDestroy(): this
}

/** Where a stream gets its transport. */
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
  /** What ended the transport, while bytes that came before wait to be read. */
  #failure: NettsError | undefined

  constructor(source: TransportSource<T>, config: StreamConfig) {
    super({
      allowHalfOpen: config.allowHalfOpen,
      readableHighWaterMark: config.readableHighWaterMark,
      writableHighWaterMark: config.writableHighWaterMark,
      // Until it has called back, Node.js keeps what is written, and reads nothing.
      ...('connect' in source && { construct: (done) => this.#connect(source.connect, done) }),
    })
    this.#config = config
    if ('connect' in source) {
      this.#connecting = new AbortController()
      // What is written meanwhile keeps its place before what `connect` leads to.
      this.cork()
    } else {
      this.#attach(source.transport)
      // The peer's end, or its loss, is to be seen although nobody reads yet.
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
    // All that came before the failure was read, or is less than the program can use.
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
      // Behind `error`, which Node.js emits in the next tick.
      nextTick(() => this.emit('close', reason !== null))
    }
    const wire = this.#wire
    if (!wire || wire.isClosed) {
      close(error)
    } else if (error === null && !this.#isReset && this.writableFinished && wire.hasPeerEnded) {
      // Only the end is still on its way.
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
    // Where nothing waits to be read, nobody has to read for `end`.
    this.read(0)
  }

  onClosed(error: NettsError | undefined): void {
    if (!error || this.destroyed) return
    if (this.readableLength === 0) {
      this.destroy(error)
      return
    }
    this.#failure = error
    // Whoever waits for more than there is has to look again.
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
        // Node.js takes a tick to note that, and another one to go on.
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
