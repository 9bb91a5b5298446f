/** Listening with any driver, for streams, with the habits of `net.createServer`. */
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

/** The events of a {@link StreamServer}, as of `net.Server`. */
export interface StreamServerEvents<T extends Transport = Transport> {
  listening: []
  connection: [stream: TransportStream<T>]
  /** Listening failed, or broke; `close` follows where it had begun. */
  error: [error: Error]
  /** It is closed, and so is every stream that it accepted. */
  close: []
}

/** A server of streams over any transport. */
export interface StreamServer<T extends Transport = Transport>
  extends EventEmitter<StreamServerEvents<T>>,
    AsyncDisposable {
  /** Whether it listens. */
  readonly listening: boolean
  /** Where it listens, as clients connect to it: the port is the one chosen when 0 was asked for. */
  readonly listeningAddress: Address | undefined
  /** The streams that it accepted and that are not closed. */
  readonly connections: ReadonlySet<TransportStream<T>>
  /**
   * Starts listening: `listening` follows, or `error`.
   *
   * @param address which forms work is the driver's choice
   * @param onListening a listener for `listening`
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`, or `ERR_NETTS_INVALID_STATE` when it listens already
   */
  listen(address: Address, onListening?: () => void): this
  /** As of `net.Server`: an object for a host, a string for a path, `null` while it does not listen. */
  address(): { address: string; family: 'IPv4' | 'IPv6'; port: number } | string | null
  /**
   * Listens no more; streams that it accepted live on.
   * @param callback called with `close`, and with an error if it did not listen
   */
  close(callback?: (error?: Error) => void): this
  /** Tells how many streams live. */
  getConnections(callback: (error: null, count: number) => void): this
  /** Keeps the process alive while it listens, which it does from the beginning. */
  ref(): this
  /** Lets the process end although this listens. */
  unref(): this
}

/** Options of a server: those of each stream, and how many connections may wait. */
export interface StreamServerOptions extends StreamOptions, ListenOptions {}

class TransportStreamServer<T extends Transport>
  extends EventEmitter<StreamServerEvents<T>>
  implements StreamServer<T>
{
  readonly connections = new Set<TransportStream<T>>()
  readonly #builder: TransportBuilder<T>
  readonly #config: StreamConfig
  readonly #backlog: number | undefined
  /** The present attempt to listen, or what it became; `undefined` before, and once closed. */
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
 * Makes a server of streams, as `net.createServer` does.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param onConnection a listener for `connection`
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for no builder, an unknown option, or one out of range
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
