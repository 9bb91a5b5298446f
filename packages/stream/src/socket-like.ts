/**
 * The members of `net.Socket` that software uses in addition to those of a Duplex, and which software needs them:
 *
 * | member | who needs it |
 * | --- | --- |
 * | `setKeepAlive` | `http.Agent` with `keepAlive` throws without it; ioredis, tedious |
 * | `setNoDelay` | http, http2, ws, pg, ioredis, postgres, mysql2 |
 * | `setTimeout`, `timeout` | `http.Agent`, http servers, mysql2, ldapts |
 * | `ref`, `unref` | `http.Agent`, undici, pg |
 * | `destroySoon` | http, for the end of a response |
 * | `resetAndDestroy` | proxies, which pass a reset on |
 * | `connecting`, `pending`, `readyState` | http2, ioredis, ldapts, ssh2 |
 * | `connect()`, the event `connect` | pg, mqtt, http2 |
 * | `remoteAddress`, `remotePort`, `remoteFamily`, and the local ones, `address()` | http frameworks, rhea, @grpc/grpc-js |
 * | `bytesRead`, `bytesWritten` | programs that count bytes |
 * | `encrypted` | rhea; express and fastify, for `https` |
 * | `alpnProtocol` | undici for HTTP/2, http2 servers |
 */
import { isIP } from 'node:net'
import { Duplex, type DuplexOptions } from 'node:stream'
import { type Address, isPathAddress } from '@netts/core'
import { checkTimeout, invalidArgument, nextTick } from '@netts/core/driver'
import { Inactivity } from './inactivity.js'

/**
 * The state of a stream, with the values of `net.Socket.readyState`:
 *
 * - `opening`: it is being connected;
 * - `open`: it can be read and written;
 * - `readOnly`: this side has ended; `writeOnly`: the peer has ended, and everything was read;
 * - `closed`: it can be neither read nor written.
 */
export type StreamReadyState = 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed'

/** An address as `net.Socket.address()` returns it; an empty object while not connected, and for a path. */
export interface SocketAddress {
  /** The IP address. */
  readonly address?: string
  /** The family of the IP address. */
  readonly family?: 'IPv4' | 'IPv6'
  /** The port, 1 to 65535. */
  readonly port?: number
}

/** The addresses at both ends of a connection. */
interface Ends {
  readonly localAddress: Address
  readonly remoteAddress: Address
}

/** A Duplex with the members of `net.Socket`. */
export abstract class SocketLike extends Duplex {
  /** Set by the program: undici speaks HTTP/2 where it is `h2`. */
  alpnProtocol: string | false | undefined = undefined
  encrypted: boolean | undefined = undefined
  #inactivity: Inactivity | undefined
  #timeoutMs: number | undefined

  constructor(options: DuplexOptions) {
    // This class emits `close` itself, with an argument, as net.Socket does.
    super({ ...options, emitClose: false })
    this.once('close', () => this.#inactivity?.stop())
  }

  /** The addresses, once connected. */
  protected abstract readonly ends: Ends | undefined
  /** How many bytes the transport has accepted and the wire has not taken yet. */
  protected abstract readonly queuedBytes: number
  abstract readonly connecting: boolean
  abstract ref(): this
  abstract unref(): this
  abstract resetAndDestroy(): this

  get pending(): boolean {
    return this.ends === undefined
  }

  get readyState(): StreamReadyState {
    if (this.connecting) return 'opening'
    if (this.readable) return this.writable ? 'open' : 'readOnly'
    return this.writable ? 'writeOnly' : 'closed'
  }

  get timeout(): number | undefined {
    return this.#timeoutMs
  }

  get remoteAddress(): string | undefined {
    return socketAddress(this.ends?.remoteAddress).address
  }

  get remotePort(): number | undefined {
    return socketAddress(this.ends?.remoteAddress).port
  }

  get remoteFamily(): string | undefined {
    return socketAddress(this.ends?.remoteAddress).family
  }

  get localAddress(): string | undefined {
    return socketAddress(this.ends?.localAddress).address
  }

  get localPort(): number | undefined {
    return socketAddress(this.ends?.localAddress).port
  }

  get localFamily(): string | undefined {
    return socketAddress(this.ends?.localAddress).family
  }

  address(): SocketAddress {
    return socketAddress(this.ends?.localAddress)
  }

  setTimeout(timeoutMs: number, callback?: () => void): this {
    if (callback !== undefined && typeof callback !== 'function') {
      throw invalidArgument('callback must be a function', 'setTimeout')
    }
    // Fractions are truncated, as net.Socket does.
    const wholeMs = typeof timeoutMs === 'number' ? Math.trunc(timeoutMs) : timeoutMs
    this.#timeoutMs = checkTimeout('timeoutMs', wholeMs)
    if (this.destroyed) return this
    this.#inactivity ??= new Inactivity(
      () => this.queuedBytes,
      () => this.emit('timeout'),
    )
    this.#inactivity.set(this.#timeoutMs)
    if (callback && this.#timeoutMs > 0) this.once('timeout', callback)
    else if (callback) this.removeListener('timeout', callback)
    return this
  }

  /** No effect: drivers send at once. */
  setNoDelay(_noDelay?: boolean): this {
    return this
  }

  /** No effect: the options of the transport's builder decide. */
  setKeepAlive(_enable?: boolean, _initialDelayMs?: number): this {
    return this
  }

  /** Does not connect, since the stream does so itself; only adds a listener for `connect`, and emits it if connected. */
  connect(...parameters: unknown[]): this {
    const callback = parameters.at(-1)
    if (typeof callback === 'function') this.once('connect', callback as () => void)
    if (!this.pending && !this.destroyed) nextTick(() => this.emit('connect'))
    return this
  }

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** Bytes were sent or received. */
  onActivity(): void {
    this.#inactivity?.touch()
  }
}

function socketAddress(address: Address | undefined): SocketAddress {
  if (address === undefined || isPathAddress(address)) return {}
  const { host, port } = address
  return { address: host, family: isIP(host) === 6 ? 'IPv6' : 'IPv4', port }
}
