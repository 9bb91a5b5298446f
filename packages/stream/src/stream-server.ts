/** A server of streams over any driver, with the interface of `net.Server`. */
import { EventEmitter } from 'node:events'
import { isIP } from 'node:net'
import {
  type Address,
  isPathAddress,
  type ListenOptions,
  NettsError,
  type Transport,
  type TransportBuilder,
  type TransportListener,
} from '@netts/core'
import { checkAddress, nextTick } from '@netts/core/driver'
import { checkBuilder } from '@netts/core/lifecycle'
import { runProgram } from './program.js'
import { checkStreamOptions, type StreamConfig, type StreamOptions } from './stream-options.js'
import { StreamOverTransport, type TransportStream } from './transport-stream.js'

/** The events of a {@link StreamServer}, as those of `net.Server`. */
export interface StreamServerEvents<T extends Transport = Transport> {
  /** It listens. */
  listening: []
  /** It accepted a connection. The stream belongs to the program. */
  connection: [stream: TransportStream<T>]
  /**
   * It could not listen, or the listener failed: a NettsError, mostly `ERR_NETTS_LISTEN_FAILED`. If it had listened, it
   * closes. Without a listener for `error` the exception is uncaught, as with any EventEmitter.
   */
  error: [error: Error]
  /** It is closed, and so is every stream that it accepted. */
  close: []
}

/** A server of streams over any transport, with the interface of `net.Server`. `await using` closes it. */
export interface StreamServer<T extends Transport = Transport>
  extends EventEmitter<StreamServerEvents<T>>,
    AsyncDisposable {
  /** Whether it listens. */
  readonly listening: boolean
  /**
   * The address on which it listens, for clients to connect to; `undefined` while it does not listen. If port 0 was asked
   * for, this has the port that was chosen.
   */
  readonly listeningAddress: Address | undefined
  /** The streams that it accepted and that are not closed. */
  readonly connections: ReadonlySet<TransportStream<T>>
  /**
   * Starts to listen. The event `listening` or `error` follows.
   *
   * @param address the address to listen on; each driver documents which forms it supports
   * @param onListening a listener for `listening`
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an address that is not valid; `ERR_NETTS_INVALID_STATE` when it
   *   listens already
   */
  listen(address: Address, onListening?: () => void): this
  /** As `net.Server.address()`: an object for a host and port, a string for a path, `null` while it does not listen. */
  address(): { address: string; family: 'IPv4' | 'IPv6'; port: number } | string | null
  /**
   * Stops listening. Streams that it accepted stay open; the event `close` follows when all of them are closed.
   * @param callback called with the event `close`; with `ERR_NETTS_CLOSED` if it did not listen
   */
  close(callback?: (error?: Error) => void): this
  /** Calls back with the number of accepted streams that are not closed, as `net.Server.getConnections` does. */
  getConnections(callback: (error: null, count: number) => void): this
  /** Keeps the process alive while it listens. This is the initial state. */
  ref(): this
  /** Lets the process exit while it listens. */
  unref(): this
}

/** Options of {@link createStreamServer}: those of each stream, and the backlog. */
export interface StreamServerOptions extends StreamOptions, ListenOptions {}

class TransportStreamServer<T extends Transport>
  extends EventEmitter<StreamServerEvents<T>>
  implements StreamServer<T>
{
  readonly connections = new Set<TransportStream<T>>()
  readonly #builder: TransportBuilder<T>
  readonly #config: StreamConfig
  readonly #backlog: number | undefined
  /** The current attempt to listen, with its listener once it succeeded; `undefined` before that, and once closed. */
  #listening: { listener?: TransportListener<T> } | undefined
  #isReferenced = true

  constructor(builder: TransportBuilder<T>, options: StreamServerOptions) {
    super()
    checkBuilder(builder)
    this.#builder = builder
    this.#config = checkStreamOptions(options, ['backlog'])
    this.#backlog = options.backlog
  }

  get listening(): boolean {
    return this.#listening?.listener !== undefined
  }

  get listeningAddress(): Address | undefined {
    return this.#listening?.listener?.address
  }

  listen(address: Address, onListening?: () => void): this {
    const checked = checkAddress(address, 'listen')
    if (this.#listening) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'the server listens already', {
        operation: 'listen',
        address: checked,
      })
    }
    if (onListening) this.once('listening', onListening)
    const listening = {}
    this.#listening = listening
    const listen = async () => this.#builder.listen(checked, { backlog: this.#backlog })
    listen().then(
      (listener) => this.#onListening(listening, listener),
      (error: Error) => {
        if (this.#listening === listening) this.#listening = undefined
        this.#fail(error)
      },
    )
    return this
  }

  address(): { address: string; family: 'IPv4' | 'IPv6'; port: number } | string | null {
    const address = this.listeningAddress
    if (!address) return null
    if (isPathAddress(address)) return address.path
    const { host, port } = address
    return { address: host, family: isIP(host) === 6 ? 'IPv6' : 'IPv4', port }
  }

  close(callback?: (error?: Error) => void): this {
    const listening = this.#listening
    if (callback) {
      if (listening) this.once('close', callback)
      else this.once('close', () => callback(this.#notListening()))
    }
    this.#listening = undefined
    if (listening?.listener) this.#stop(listening.listener)
    nextTick(() => this.#closeIfOver())
    return this
  }

  getConnections(callback: (error: null, count: number) => void): this {
    nextTick(() => callback(null, this.connections.size))
    return this
  }

  ref(): this {
    this.#isReferenced = true
    this.#listening?.listener?.ref()
    return this
  }

  unref(): this {
    this.#isReferenced = false
    this.#listening?.listener?.unref()
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#listening) return
    await new Promise<void>((resolve) => this.close(() => resolve()))
  }

  #onListening(listening: { listener?: TransportListener<T> }, listener: TransportListener<T>): void {
    if (this.#listening !== listening) {
      // It was closed meanwhile.
      this.#stop(listener)
      return
    }
    listening.listener = listener
    if (!this.#isReferenced) listener.unref()
    void this.#accept(listener)
    runProgram(() => this.emit('listening'))
  }

  async #accept(listener: TransportListener<T>): Promise<void> {
    try {
      for await (const transport of listener) {
        if (this.#listening?.listener === listener) this.#onTransport(transport)
        else transport.destroy()
      }
    } catch (error) {
      this.#fail(error as Error)
      this.close()
    }
  }

  #onTransport(transport: T): void {
    const stream = new StreamOverTransport({ transport }, this.#config)
    this.connections.add(stream)
    stream.once('close', () => {
      this.connections.delete(stream)
      this.#closeIfOver()
    })
    runProgram(() => this.emit('connection', stream))
  }

  #stop(listener: TransportListener<T>): void {
    listener.close().catch((error: Error) => this.#fail(error))
  }

  #fail(error: Error): void {
    runProgram(() => this.emit('error', error))
  }

  #closeIfOver(): void {
    if (!this.#listening && this.connections.size === 0) this.emit('close')
  }

  #notListening(): NettsError {
    return new NettsError('ERR_NETTS_CLOSED', 'the server does not listen', { operation: 'close' })
  }
}

/**
 * Makes a server of streams, as `net.createServer` of Node.js does. It does not listen yet.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param onConnection a listener for `connection`
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for something that is not a builder, and for an option that is unknown or
 *   out of range
 */
export function createStreamServer<T extends Transport>(
  builder: TransportBuilder<T>,
  options: StreamServerOptions = {},
  onConnection?: (stream: TransportStream<T>) => void,
): StreamServer<T> {
  const server = new TransportStreamServer(builder, options)
  if (onConnection) server.on('connection', onConnection)
  return server
}
