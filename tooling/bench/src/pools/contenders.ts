/** Pools that lend a connection and take it back: netts's and its peers', over connections in memory. By their ids. */
import { type Connection, connect, listen, type TransportBuilder } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { createPool } from '@netts/pool'
import genericPool from 'generic-pool'
import { Pool as TarnPool } from 'tarn'
import { Dispatcher, Pool as UndiciPool } from 'undici'

/** How many connections each pool has. */
const SIZE = 4

/** A pool with idle connections. */
export interface PoolUnderTest {
  /** Borrows an idle connection and gives it back. */
  cycle(): PromiseLike<unknown>
  end(): Promise<unknown>
}

/** Servers in memory that accept, and say nothing. */
async function servers(count: number) {
  const network = createMockNetwork()
  const listeners = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      listen(network.builder(), { host: `server-${index}`, port: 1 }),
    ),
  )
  for (const listener of listeners) {
    const accept = async () => {
      for await (const connection of listener) connection.unref()
    }
    accept().catch(console.error)
  }
  return { builder: network.builder(), addresses: listeners.map(({ address }) => address) }
}

async function nettsPool(endpoints: number): Promise<PoolUnderTest> {
  const { builder, addresses } = await servers(endpoints)
  const pool = createPool({ builder, endpoints: addresses, min: SIZE, max: SIZE })
  await pool.ready()
  return { cycle: async () => (await pool.acquire()).release(), end: () => pool.close() }
}

/** What opens and closes a connection for the peers, which get the same as netts's pool. */
async function factory() {
  const { builder, addresses } = await servers(1)
  return {
    create: () => connect(builder as TransportBuilder, addresses[0]!),
    destroy: async (connection: Connection) => connection.destroy(),
  }
}

/** Ends each request at once: what is left is the choice of a client, and the request's way through the pool. */
class NoClient extends Dispatcher {
  override dispatch(_options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    handler.onResponseEnd?.({} as Dispatcher.DispatchController, {})
    return true
  }

  override close(): Promise<void> {
    return Promise.resolve()
  }

  override destroy(): Promise<void> {
    return Promise.resolve()
  }
}

/** How each is started. */
export const STARTS: Readonly<Record<string, () => Promise<PoolUnderTest>>> = {
  pool: () => nettsPool(1),
  'pool-three': () => nettsPool(3),
  async undici() {
    const pool = new UndiciPool('http://localhost:1', { connections: SIZE, factory: () => new NoClient() })
    const cycle = () =>
      new Promise<void>((resolve) => {
        pool.dispatch({ path: '/', method: 'GET' }, { onResponseEnd: () => resolve() })
      })
    return { cycle, end: () => pool.close() }
  },
  async 'generic-pool'() {
    const pool = genericPool.createPool(await factory(), { min: SIZE, max: SIZE })
    await pool.ready()
    return {
      cycle: async () => pool.release(await pool.acquire()),
      end: () => pool.drain().then(() => pool.clear()),
    }
  },
  async tarn() {
    const pool = new TarnPool({ ...(await factory()), min: SIZE, max: SIZE })
    return {
      cycle: async () => {
        pool.release(await pool.acquire().promise)
      },
      end: () => pool.destroy(),
    }
  },
}
