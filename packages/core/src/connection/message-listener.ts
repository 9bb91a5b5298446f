/** The listener of connections. It keeps those that it accepted, and can wait until they are closed. */
import type { ListeningAddress } from '../address.js'
import { acceptChannel } from '../diagnostics.js'
import { checkBoolean, checkOptionNames, checkTimeout } from '../driver/options.js'
import type { PreferringListener } from '../preferring/listen-on-all.js'
import { rememberWire } from '../preferring/wire-of.js'
import { type ClockTimer, clock } from '../runtime/event-loop.js'
import type { AcceptOptions, Transport, TransportListener } from '../transport.js'
import type { Connection, ConnectionListener, ConnectionOptions, ListenerCloseOptions } from './connection.js'
import { createConnection } from './create-connection.js'

const DEFAULT_DRAIN_MS = 10_000

/** The implementation of {@link ConnectionListener}. */
export class MessageListener<T extends Transport> implements ConnectionListener<T> {
  readonly addresses: readonly ListeningAddress[]
  readonly #wire: string
  readonly #listener: TransportListener<T>
  readonly #options: ConnectionOptions
  readonly #connections = new Set<Connection<T>>()

  constructor(wire: string, listener: TransportListener<T>, options: ConnectionOptions) {
    const { addresses } = listener as Partial<PreferringListener<T>>
    this.addresses = addresses ?? Object.freeze([Object.freeze({ wire, address: listener.address })])
    this.#wire = wire
    this.#listener = listener
    this.#options = options
  }

  get address() {
    return this.#listener.address
  }

  get connections(): ReadonlySet<Connection<T>> {
    return this.#connections
  }

  async accept(options?: AcceptOptions): Promise<Connection<T> | undefined> {
    const transport = await this.#listener.accept(options)
    if (transport === undefined) return undefined
    rememberWire(transport, this.#wire)
    const connection = createConnection(transport, this.#options)
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
    if (acceptChannel.hasSubscribers) acceptChannel.publish({ connection })
    return connection
  }

  async close(options: ListenerCloseOptions = {}): Promise<void> {
    const { drain = false, deadlineMs = DEFAULT_DRAIN_MS } = checkOptionNames('options', options, [
      'drain',
      'deadlineMs',
    ])
    checkTimeout('deadlineMs', deadlineMs)
    const isDraining = checkBoolean('drain', drain)
    await this.#listener.close()
    if (isDraining) await this.#drain(deadlineMs)
  }

  ref(): void {
    this.#listener.ref()
  }

  unref(): void {
    this.#listener.unref()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Connection<T>, void, undefined> {
    for (let next = await this.accept(); next; next = await this.accept()) yield next
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #drain(deadlineMs: number): Promise<void> {
    const closeAll = () => {
      for (const connection of this.#connections) void connection.close()
    }
    let timer: ClockTimer | undefined
    if (deadlineMs === 0) closeAll()
    else timer = clock.setTimer(closeAll, deadlineMs)
    await Promise.all([...this.#connections].map((connection) => connection.closed))
    timer?.close()
  }
}
