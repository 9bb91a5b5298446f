/** The suite's rules about messages, over connections that a pool lends for the second time. */
import assert from 'node:assert/strict'
import { type ConformanceFixture, type ConformanceOptions, connectionConformance } from '@netts/conformance'
import type { Address, Connection, ConnectionOptions, Transport, TransportBuilder } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { sendRecvOver } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { describe, it } from 'vitest'
import { createPool, type Pool, type PooledConnection } from '../src/index.js'

/** The pool's own connection is there as the session. */
type Lent = PooledConnection<Transport, Connection>

/** The rules ask a connection also for what became of it; a borrowed one says that of the connection beneath. */
function lasting(lent: Lent): Connection {
  const { session } = lent
  return new Proxy<Connection>(lent, {
    get(_, name) {
      const of = lent.released ? session : lent
      const value: unknown = Reflect.get(of, name, of)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
}

/** Pools over a driver, one for each place and each set of options. */
class Pools {
  readonly #builder: TransportBuilder
  readonly #pools = new Map<string, Pool<Transport, Connection>>()

  constructor(builder: TransportBuilder) {
    this.#builder = builder
  }

  /** A connection that was lent before. */
  async lend(address: Address, options: ConnectionOptions = {}): Promise<Connection> {
    const pool = this.#pool(address, options)
    const first = await pool.acquire()
    const { session } = first
    first.release()
    const lent = await pool.acquire()
    assert.equal(lent.session, session)
    return lasting(lent)
  }

  /** Fails if something is still lent, or stays open. */
  async close(): Promise<void> {
    for (const pool of this.#pools.values()) {
      assert.equal(pool.stats.inFlight, 0)
      await pool.close()
      const { idle, lent, closing, connecting } = pool.stats
      assert.deepEqual({ idle, lent, closing, connecting }, { idle: 0, lent: 0, closing: 0, connecting: 0 })
    }
  }

  #pool(address: Address, connection: ConnectionOptions): Pool<Transport, Connection> {
    const key = JSON.stringify([address, connection])
    const known = this.#pools.get(key)
    if (known) return known
    const prepare = (made: Connection): Connection => made
    const made = createPool({ builder: this.#builder, endpoints: [address], max: 100, connection, prepare })
    this.#pools.set(key, made)
    return made
  }
}

/** Runs the rules over a pool of connections of a driver. */
function pooledConformance(
  name: string,
  ground: () => { builder: TransportBuilder; listenBuilder: TransportBuilder; host: string },
  options: Partial<ConformanceOptions>,
): void {
  const pools = new WeakMap<ConformanceFixture, Pools>()
  connectionConformance({
    name: `a pool over ${name}`,
    capabilities: { detectsPeerCrash: true, reset: true },
    setup() {
      const { builder, listenBuilder, host } = ground()
      const lending = new Pools(builder)
      const fixture: ConformanceFixture = {
        builder,
        listenBuilder,
        listenAddress: () => ({ host, port: 0 }),
        connect: (address, options) => lending.lend(address, options),
      }
      pools.set(fixture, lending)
      return fixture
    },
    teardown: (fixture) => pools.get(fixture)!.close(),
    describe,
    it,
    ...options,
  })
}

pooledConformance(
  'the mock',
  () => {
    const builder = createMockNetwork().builder()
    return { builder, listenBuilder: builder, host: '127.0.0.1' }
  },
  { bufferedByteLength: 2 ** 21 },
)

pooledConformance('tcp', () => ({ builder: tcp(), listenBuilder: tcp(), host: '127.0.0.1' }), {
  capabilities: { detectsPeerCrash: false, reset: true },
})

pooledConformance(
  'rdma-sendrecv, simulated',
  () => {
    const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
    const [client, server] = [fabric.createHost(), fabric.createHost()]
    return {
      builder: sendRecvOver({ verbs: client }),
      listenBuilder: sendRecvOver({ verbs: server }),
      host: server.address,
    }
  },
  { creditBased: true, bufferedByteLength: 2 ** 21, bulkByteLength: 2 ** 18, deadlineMs: 8000 },
)
