/** What a rule gets: listeners and connections over the fixture that `setup` made, all closed after the test. */
import assert from 'node:assert/strict'
import type {
  Address,
  BufferPool,
  Connection,
  ConnectOptions,
  ListenOptions,
  Transport,
  TransportBuilder,
  TransportListener,
} from '@netts/core'
import type { ConformanceFixture, Settings } from '../options.js'
import { eventually, within } from './deadline.js'
import { Endpoint } from './endpoint.js'
import { Pattern } from './pattern.js'

const CLIENT_SALT = 1
const SERVER_SALT = 2

/** Thrown by a rule that needs something that this fixture does not have. */
export class Skipped extends Error {}

/** Both ends of a connection. */
export interface Pair {
  /** The end that connected. */
  readonly client: Endpoint
  /** The end that accepted. */
  readonly server: Endpoint
}

/** The resources of one test. */
export class Context {
  readonly fixture: ConformanceFixture
  readonly settings: Settings
  readonly #listeners: TransportListener[] = []
  readonly #transports: Transport[] = []
  readonly #connections: Connection[] = []
  readonly #endpoints: Endpoint[] = []
  readonly #pools = new Set<BufferPool>()

  constructor(fixture: ConformanceFixture, settings: Settings) {
    this.fixture = fixture
    this.settings = settings
  }

  get builder(): TransportBuilder {
    return this.fixture.builder
  }

  get listenBuilder(): TransportBuilder {
    return this.fixture.listenBuilder ?? this.fixture.builder
  }

  /** Ends the test as skipped, visibly, with the reason. */
  skip(reason: string): never {
    throw new Skipped(reason)
  }

  /** Fails when the promise has not settled in time. */
  within<T>(what: string, promise: PromiseLike<T>): Promise<T> {
    return within(this.settings.deadlineMs, what, promise)
  }

  /** Polls a condition until it is true. */
  eventually(what: string | (() => string), isTrue: () => boolean | Promise<boolean>): Promise<void> {
    return eventually(this.settings.deadlineMs, what, isTrue)
  }

  /** Listens where the fixture says, or at the address given. */
  async listen(options?: ListenOptions, address = this.fixture.listenAddress()): Promise<TransportListener> {
    const listener = await this.within('listen', this.listenBuilder.listen(address, options))
    this.#listeners.push(listener)
    return listener
  }

  /** Connects; the transport is destroyed after the test. */
  async connect(address: Address, options?: ConnectOptions): Promise<Transport> {
    return this.own(await this.within('connect', this.builder.connect(address, options)))
  }

  /** The next accepted transport; there must be one. */
  async accept(listener: TransportListener): Promise<Transport> {
    const transport = await this.within('accept', listener.accept())
    assert.ok(transport, 'accept resolved to undefined, but the listener is open')
    return this.own(transport)
  }

  /** Registers a transport to be destroyed after the test. */
  own(transport: Transport): Transport {
    this.#transports.push(transport)
    this.#pools.add(transport.bufferPool)
    return transport
  }

  /** Registers a connection to be destroyed after the test. */
  ownConnection(connection: Connection): Connection {
    this.#connections.push(connection)
    this.#pools.add(connection.transport.bufferPool)
    return connection
  }

  /** The checked endpoint for a transport that connected. */
  clientEnd(transport: Transport): Endpoint {
    return this.#endpoint(transport, CLIENT_SALT, SERVER_SALT)
  }

  /** The checked endpoint for a transport that was accepted. */
  serverEnd(transport: Transport): Endpoint {
    return this.#endpoint(transport, SERVER_SALT, CLIENT_SALT)
  }

  #endpoint(transport: Transport, outgoingSalt: number, incomingSalt: number): Endpoint {
    const { deadlineMs } = this.settings
    const endpoint = new Endpoint(transport, deadlineMs, new Pattern(outgoingSalt), new Pattern(incomingSalt))
    this.#endpoints.push(endpoint)
    return endpoint
  }

  /** Both raw transports of a new connection. */
  async rawPair(listener?: TransportListener): Promise<[client: Transport, server: Transport]> {
    const from = listener ?? (await this.listen())
    return Promise.all([this.connect(from.address), this.accept(from)])
  }

  /** Both ends of a new connection. */
  async pair(listener?: TransportListener): Promise<Pair> {
    const [client, server] = await this.rawPair(listener)
    const pair = { client: this.clientEnd(client), server: this.serverEnd(server) }
    pair.client.peer = pair.server
    pair.server.peer = pair.client
    return pair
  }

  /** Whether both directions of a pair work. */
  async checkWorks({ client, server }: Pair, byteLength = 1000): Promise<void> {
    const [toClient, toServer] = [server.sent + byteLength, client.sent + byteLength]
    await Promise.all([
      client.send(byteLength),
      server.send(byteLength),
      client.receiveTo(toClient),
      server.receiveTo(toServer),
    ])
  }

  /** Destroys and closes whatever the test left open. */
  async putAway(): Promise<void> {
    for (const connection of this.#connections) connection.destroy()
    for (const transport of this.#transports) transport.destroy()
    await Promise.all(this.#listeners.map((listener) => this.within('listener.close', listener.close())))
  }

  /** Fails if a guard found a violation that it could not report at once, or if a pooled buffer was not returned. */
  async checkAfterwards(): Promise<void> {
    for (const endpoint of this.#endpoints) endpoint.guard.check()
    for (const pool of this.#pools) {
      await this.eventually(
        () => `${pool.stats.outstanding} buffers to come back to their pool`,
        () => pool.stats.outstanding === 0,
      )
    }
  }
}
