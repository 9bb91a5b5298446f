/** A mock network: its listeners, the faults of each attempt to connect, and its connections. */
import {
  type Address,
  type BufferPool,
  createBufferPool,
  formatAddress,
  isPathAddress,
  NettsError,
  type TransportBuilder,
} from '@netts/core'
import { checkInteger, checkOptionNames, createBuilder, type EndSignal } from '@netts/core/driver'
import { clockOf, globalClock, type MockClock } from './clock.js'
import { chaosOf, checkFaults, type MockFaults } from './faults.js'
import { checkLimits, LIMIT_NAMES, type MockLimits } from './limits.js'
import { createLink, type LinkEnd, type LinkEnvironment, type MockLink } from './link.js'
import { MockListener } from './listener.js'
import { Presence } from './presence.js'
import { Random } from './random.js'
import type { MockTransport } from './transport.js'
import { Turns } from './turns.js'

/** The first port of a listener on port 0, and of clients: the beginning of the dynamic range (RFC 6335, section 6). */
const FIRST_DYNAMIC_PORT = 49_152

/** An attempt to connect, as passed to a {@link MockScript}. */
export interface MockAttempt {
  /** The number of the attempt in this network, from 0. */
  readonly index: number
  /** The address that was asked for. */
  readonly address: Address
}

/** Returns the faults of an attempt to connect and of its connection; `undefined` for none. */
export type MockScript = (attempt: MockAttempt) => MockFaults | undefined

/** Options of {@link createMockNetwork}. */
export interface MockNetworkOptions {
  /** The seed of all random faults (`chaos`), 0 to 2^32 - 1. The same program has the same faults with it. @default 0 */
  readonly seed?: number | undefined
  /** The faults of every connection, or a function that chooses them for each attempt. @default none */
  readonly faults?: MockFaults | MockScript | undefined
  /**
   * The clock of `latencyMs` and of the deadlines of `connect` and `disconnect`. `connect` takes the latency of both
   * sides: it waits until fake timers, or a virtual clock, have advanced by that.
   * @default the global timers, looked up for each use, so that fake timers control them
   */
  readonly clock?: MockClock | undefined
  /** How many bytes that each side sent are kept for {@link MockSide.sent}. @default 1048576 (1 MiB) */
  readonly recordByteLength?: number | undefined
}

/** Options of {@link MockNetwork.builder}: the limits of both connecting and accepted transports. */
export interface MockBuilderOptions extends Partial<MockLimits> {
  /** The pool of buffers for `sendBuffer`. @default a new pool for this builder */
  readonly bufferPool?: BufferPool | undefined
}

/** A network in memory, made by {@link createMockNetwork}. Its builders connect only to listeners of the same network. */
export interface MockNetwork {
  /** The seed of its random faults. */
  readonly seed: number
  /**
   * Makes a driver on this network, in place of `tcp()` for example. Every form of address works.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown or out of range
   */
  builder(options?: MockBuilderOptions): TransportBuilder
  /**
   * Sets the faults of the next attempt to connect, instead of the option `faults`. Several calls apply to successive
   * attempts.
   * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a fault that is unknown or out of range
   */
  failNext(faults: MockFaults): void
  /** All connections that were made, in order, closed ones included. */
  readonly links: readonly MockLink[]
}

/**
 * Makes a network in memory, for tests. Bytes arrive in a later turn of the event loop, without timers. Open transports,
 * listeners and attempts to connect keep the process alive, as those of a real network do.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option or fault that is unknown or out of range
 */
export function createMockNetwork(options: MockNetworkOptions = {}): MockNetwork {
  checkOptionNames('options', options, ['seed', 'faults', 'clock', 'recordByteLength'])
  const { faults = {} } = options
  const clock = clockOf(options.clock ?? globalClock)
  const seed = checkInteger('seed', options.seed ?? 0, 0, 0xffffffff)
  const recordByteLength = checkInteger('recordByteLength', options.recordByteLength ?? 2 ** 20, 0, 2 ** 40)
  if (typeof faults !== 'function') checkFaults(faults)
  const script: MockScript = typeof faults === 'function' ? faults : () => faults
  return new Network({ seed, clock, turns: new Turns(clock), recordByteLength }, script)
}

/** The configuration of a builder. */
type Near = Omit<LinkEnd, 'address'>

class Network implements MockNetwork {
  readonly links: MockLink[] = []
  readonly #environment: LinkEnvironment
  readonly #script: MockScript
  readonly #scripted: MockFaults[] = []
  readonly #listeners = new Map<string, MockListener>()
  #attempts = 0
  #lastPort = FIRST_DYNAMIC_PORT - 1

  constructor(environment: LinkEnvironment, script: MockScript) {
    this.#environment = environment
    this.#script = script
  }

  get seed(): number {
    return this.#environment.seed
  }

  builder(options: MockBuilderOptions = {}): TransportBuilder {
    checkOptionNames('options', options, [...LIMIT_NAMES, 'bufferPool'])
    const near = { limits: checkLimits(options), bufferPool: options.bufferPool ?? createBufferPool() }
    return createBuilder({
      name: 'mock',
      connect: (address, ended) => this.#connect(address, near, ended),
      listen: async (address, backlog) => this.#listen(address, near, backlog),
      clock: () => this.#environment.clock,
    })
  }

  failNext(faults: MockFaults): void {
    this.#scripted.push(checkFaults(faults))
  }

  #listen(asked: Address, near: Near, backlog: number): MockListener {
    const address = !isPathAddress(asked) && asked.port === 0 ? this.#freeAddress(asked.host) : asked
    const key = formatAddress(address)
    if (this.#listeners.has(key)) {
      throw new NettsError('ERR_NETTS_LISTEN_FAILED', `another listener listens on ${key} already`, {
        operation: 'listen',
        address,
      })
    }
    const listener = new MockListener({ address, ...near }, backlog, () => {
      if (this.#listeners.get(key) === listener) this.#listeners.delete(key)
    })
    this.#listeners.set(key, listener)
    return listener
  }

  async #connect(address: Address, near: Near, ended: EndSignal): Promise<MockTransport> {
    const index = this.#attempts++
    const faults = this.#scripted.shift() ?? checkFaults(this.#script({ index, address }) ?? {})
    const presence = new Presence()
    try {
      await new Promise<void>((resolve) => {
        ended.onabort = resolve
        if (faults.connect === 'never') return
        const latencyMs = (faults.client?.latencyMs ?? 0) + (faults.server?.latencyMs ?? 0)
        this.#environment.turns.after(latencyMs, 1, resolve)
      })
      ended.throwIfAborted()
      return this.#establish(index, address, near, faults)
    } finally {
      presence.end()
    }
  }

  #establish(index: number, address: Address, client: Near, faults: MockFaults): MockTransport {
    const where = { operation: 'connect', address }
    const listener = this.#listeners.get(formatAddress(address))
    const random = Random.derive(~this.seed, index)
    if (!listener || faults.connect === 'refuse' || random.chance(chaosOf(faults).refuseConnect)) {
      const why = listener ? 'refused by a fault of the mock network' : 'nobody listens there'
      throw new NettsError('ERR_NETTS_CONNECT_FAILED', `connect to ${formatAddress(address)}: ${why}`, where)
    }
    if (faults.connect === 'reject' || !listener.hasRoom) {
      const why = listener.hasRoom ? 'a fault of the mock network' : 'its backlog is full'
      throw new NettsError(
        'ERR_NETTS_REJECTED',
        `${formatAddress(address)} rejected the connection: ${why}`,
        where,
      )
    }
    const clientAddress = isPathAddress(address) ? address : { host: '127.0.0.1', port: this.#nextPort() }
    const made = createLink(
      this.#environment,
      index,
      { ...client, address: Object.freeze(clientAddress) },
      listener.end,
      faults,
    )
    this.links.push(made.link)
    listener.push(made.server)
    return made.client
  }

  /** An address of the host on which nothing listens; if there is none, one that is in use. */
  #freeAddress(host: string): Address {
    let address: Address
    let untried = 65_536 - FIRST_DYNAMIC_PORT
    do {
      address = Object.freeze({ host, port: this.#nextPort() })
    } while (this.#listeners.has(formatAddress(address)) && --untried > 0)
    return address
  }

  #nextPort(): number {
    this.#lastPort = this.#lastPort === 65_535 ? FIRST_DYNAMIC_PORT : this.#lastPort + 1
    return this.#lastPort
  }
}
