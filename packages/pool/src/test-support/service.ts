/** A pool over a mock network, in a time of the test's own, and servers to connect to. */
import { type Address, type Connection, type ConnectionListener, listen, type Transport } from '@netts/core'
import { createMockNetwork, type MockFaults, type MockNetwork, type MockScript } from '@netts/mock'
import { ConnectionPool } from '../connection-pool.js'
import type { PoolEvent } from '../events.js'
import { checkPoolOptions, type PoolOptions } from '../options.js'
import { VirtualTime } from './virtual-time.js'

export const A: Address = { host: 'a', port: 1 }
export const B: Address = { host: 'b', port: 1 }
export const C: Address = { host: 'c', port: 1 }

/** Servers that answer each message with the same, and pools of connections to them. */
export class Service implements AsyncDisposable {
  readonly time = new VirtualTime()
  readonly network: MockNetwork
  readonly events: PoolEvent[] = []
  /** Attempts to connect, by host. */
  readonly attempts = new Map<string, number>()
  readonly #servers = new Map<string, ConnectionListener>()
  readonly #pools: ConnectionPool<Transport, unknown>[] = []

  constructor(faults: MockFaults | MockScript = {}) {
    const script: MockScript = typeof faults === 'function' ? faults : () => faults
    this.network = createMockNetwork({
      clock: this.time,
      faults: (attempt) => {
        const { host } = attempt.address as { host: string }
        this.attempts.set(host, (this.attempts.get(host) ?? 0) + 1)
        return script(attempt)
      },
    })
  }

  /** Starts a server. */
  async serve(address: Address = A, answer = echo): Promise<void> {
    const server = await listen(this.network.builder(), address)
    this.#servers.set(hostOf(address), server)
    const accept = async () => {
      for await (const connection of server) answer(connection).catch(() => {})
    }
    accept().catch(() => {})
  }

  /** The server dies, with its connections. */
  async kill(address: Address = A): Promise<void> {
    const server = this.#servers.get(hostOf(address))!
    this.#servers.delete(hostOf(address))
    await server.close()
    for (const connection of server.connections) connection.destroy()
  }

  /** How many connections a server has. */
  connections(address: Address = A): number {
    return this.#servers.get(hostOf(address))?.connections.size ?? 0
  }

  pool<S = undefined>(options: Partial<PoolOptions<Transport, S>> = {}): ConnectionPool<Transport, S> {
    const settings = checkPoolOptions<Transport, S>({
      builder: this.network.builder(),
      endpoints: [A],
      onEvent: (event) => this.events.push(event),
      ...options,
    })
    const pool = new ConnectionPool(settings, this.time)
    this.#pools.push(pool as ConnectionPool<Transport, unknown>)
    return pool
  }

  /** The events of one kind. */
  told<K extends PoolEvent['type']>(type: K): Extract<PoolEvent, { type: K }>[] {
    return this.events.filter((event) => event.type === type) as Extract<PoolEvent, { type: K }>[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) {
      await server.close()
      for (const connection of server.connections) connection.destroy()
    }
    await Promise.all(this.#pools.map((pool) => pool.close()))
  }
}

async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message)
}

function hostOf(address: Address): string {
  return (address as { host: string }).host
}
