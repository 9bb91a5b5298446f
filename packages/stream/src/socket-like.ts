/**
 * What software written for `net.Socket` touches beyond a Duplex, member by member, with who needs it:
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
 * | `bytesRead`, `bytesWritten` | whoever counts |
 * | `encrypted` | rhea; express and fastify, for `https` |
 * | `alpnProtocol` | undici for HTTP/2, http2 servers |
 */
import { isIP } from 'node:net'
import { Duplex, type DuplexOptions } from 'node:stream'
import { type Address, isPathAddress } from '@netts/core'
import { checkTimeout, invalidArgument, nextTick } from '@netts/core/driver'
import { Inactivity } from './inactivity.js'

/** As of `net.Socket`. */
export type StreamReadyState = 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed'

/** An address as `socket.address()` gives it; empty while there is none, and for a path. */
export interface SocketAddress {
  readonly address?: string
  readonly family?: 'IPv4' | 'IPv6'
  readonly port?: number
}

/** The addresses at both ends. */
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
    // `close` is emitted with an argument, as by net.Socket.
    super({ ...options, emitClose: false })
    this.once('close', () => this.#inactivity?.stop())
  }

  /** The addresses, once connected. */
  protected abstract readonly ends: Ends | undefined
  /** Bytes written that the wire has not taken yet, as far as the transport has them. */
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
    // Fractions are cut off, as by net.Socket.
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

  /** The transport's builder decides. */
  setNoDelay(_noDelay?: boolean): this {
    return this
  }

  /** The transport's builder decides. */
  setKeepAlive(_enable?: boolean, _initialDelayMs?: number): this {
    return this
  }

  /** It connects by itself: this only tells when it is connected. */
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

  /** Something was sent or received. */
  onActivity(): void {
    this.#inactivity?.touch()
  }
}

function socketAddress(address: Address | undefined): SocketAddress {
  if (address === undefined || isPathAddress(address)) return {}
  const { host, port } = address
  return { address: host, family: isIP(host) === 6 ? 'IPv6' : 'IPv4', port }
}
