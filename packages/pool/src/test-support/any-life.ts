/**
 * Random lives of a pool, in virtual time over the mock: borrowers that come, go, fail and give up, endpoints and
 * connections that die, time that passes. Whatever happens, the pool keeps its bounds, serves in order and loses nothing.
 */
import type { Address } from '@netts/core'
import fc from 'fast-check'
import { expect } from 'vitest'
import { reconnectNever } from '../policy/backoff.js'
import type { PooledConnection } from '../pool.js'
import { A, B, C, Service } from './service.js'
import { turns } from './virtual-time.js'

const ADDRESSES = [A, B, C]

type Step =
  | { readonly do: 'acquire'; readonly timeoutMs: number }
  | {
      readonly do: 'abort' | 'release' | 'fail' | 'destroy' | 'finish' | 'cancelRecv'
      readonly which: number
    }
  | { readonly do: 'crash' | 'end'; readonly which: number }
  | { readonly do: 'down' | 'up'; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'sleep'; readonly ms: number }

const which = fc.nat(100)
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constant('acquire' as const), timeoutMs: fc.constantFrom(0, 30, 3000) }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('release' as const), which }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('abort', 'fail', 'destroy', 'finish', 'cancelRecv', 'crash', 'end', 'down', 'up'),
        which,
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('advance' as const),
        ms: fc.constantFrom(0, 1, 7, 40, 700, 9000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.constantFrom(-5000, 5000, 90_000) }),
    },
  ),
  { minLength: 1, maxLength: 60 },
) as fc.Arbitrary<Step[]>

const settings = fc.record({
  mode: fc.constantFrom('lease' as const, 'share' as const),
  endpoints: fc.integer({ min: 1, max: 3 }),
  min: fc.integer({ min: 0, max: 2 }),
  max: fc.integer({ min: 2, max: 4 }),
  maxTotal: fc.constantFrom(0, 2, 5),
  maxUses: fc.constantFrom(0, 0, 3),
  maxInFlight: fc.integer({ min: 1, max: 3 }),
  latencyMs: fc.constantFrom(0, 0, 5, 50, 400),
  exhausted: fc.constantFrom('wait' as const, 'wait' as const, 'fail' as const),
  retries: fc.boolean(),
  validates: fc.boolean(),
  resets: fc.boolean(),
  failures: fc.integer({ min: 1, max: 3 }),
})

/** A caller, from its call to its end. */
interface Caller {
  readonly abort: AbortController
  readonly number: number
  connection: PooledConnection | undefined
  outcome: 'waits' | 'served' | 'failed'
  settled: Promise<void>
}

class World implements AsyncDisposable {
  readonly service: Service
  readonly pool
  readonly #given
  readonly #callers: Caller[] = []
  readonly #servedOrder: number[] = []
  readonly #up = new Set<Address>()
  /** What those that failed got. */
  readonly #codes = new Set<string>()

  constructor(given: Given) {
    this.#given = given
    const { latencyMs } = given
    this.service = new Service(latencyMs > 0 ? { client: { latencyMs } } : {})
    this.pool = this.service.pool({
      endpoints: ADDRESSES.slice(0, given.endpoints),
      mode: given.mode,
      ...(given.mode === 'share' && {
        share: { maxInFlight: given.maxInFlight, target: 1, growAfterMs: 10 },
      }),
      min: given.min,
      max: given.max,
      maxTotal: given.maxTotal,
      maxUses: given.maxUses,
      idleTimeoutMs: 5000,
      maxLifetimeMs: 60_000,
      connectTimeoutMs: 1000,
      acquireTimeoutMs: 0,
      exhausted: given.exhausted,
      ...(!given.retries && { reconnect: reconnectNever() }),
      breaker: { failures: given.failures, openMs: 500 },
      ...(given.validates && { validate: () => true, validateAfterIdleMs: 50 }),
      ...(given.resets && given.mode === 'lease' && { reset: () => turns() }),
    })
  }

  async start(): Promise<void> {
    for (const address of ADDRESSES.slice(0, this.#given.endpoints)) await this.#bringUp(address)
  }

  async run(step: Step): Promise<void> {
    const { service } = this
    if (step.do === 'acquire') this.#acquire(step.timeoutMs)
    else if (step.do === 'advance') await service.time.advance(step.ms)
    else if (step.do === 'sleep') service.time.sleep(step.ms)
    else if (step.do === 'abort') pickOf(this.#waiting, step.which)?.abort.abort()
    else if (step.do === 'crash' || step.do === 'end')
      pickOf(service.network.links, step.which)?.server[step.do]()
    else if (step.do === 'down' || step.do === 'up') await this.#switch(step.do, ADDRESSES[step.which % 3]!)
    else await this.#giveBack(step.do, step.which)
    await turns()
    this.check()
  }

  /** What always holds, once everything that needs no time has happened. */
  check(): void {
    const { stats } = this.pool
    const { max, maxTotal, mode, exhausted, retries, maxInFlight } = this.#given
    let total = 0
    for (const endpoint of stats.endpoints) {
      const { idle, lent, checking, closing, connecting } = endpoint
      // What is lent may be dead already; what is open stands under its wire.
      const open = connecting + (endpoint.wires.mock ?? 0)
      expect(idle + checking + closing + connecting).toBeLessThanOrEqual(open)
      for (const count of [idle, lent, checking, closing, connecting]) expect(count).toBeGreaterThanOrEqual(0)
      expect(open).toBeLessThanOrEqual(max)
      total += open
    }
    if (maxTotal > 0) expect(total).toBeLessThanOrEqual(maxTotal)
    const held = this.#callers.filter(({ connection }) => connection && !connection.released)
    expect(stats.inFlight).toBe(held.length)
    if (mode === 'lease') {
      const connections = held.map(({ connection }) => connection!.transport)
      expect(new Set(connections).size).toBe(connections.length)
    }
    expect(stats.waiting).toBe(this.#waiting.length)
    // Nobody waits beside a connection that could be lent, unless another one is looked at for it just now.
    const ready = this.pool.endpoints.filter(({ idle, breaker }) => idle > 0 && breaker === 'closed')
    if (stats.waiting > stats.checking) expect(ready).toEqual([])
    const codes = ['ERR_NETTS_TIMEOUT', 'ERR_NETTS_ABORTED']
    if (exhausted === 'fail') codes.push('ERR_NETTS_POOL_EXHAUSTED')
    if (exhausted === 'fail' || !retries) codes.push('ERR_NETTS_CONNECT_FAILED')
    for (const code of this.#codes) expect(codes).toContain(code)
    // Nobody waits in vain who asked not to.
    if (exhausted === 'fail') {
      const coming = stats.connecting + stats.checking
      expect(stats.waiting).toBeLessThanOrEqual(coming * (mode === 'share' ? maxInFlight : 1))
    }
    // Served in the order of the calls.
    expect(this.#servedOrder).toEqual([...this.#servedOrder].sort((one, two) => one - two))
  }

  /** All comes back, everything works again: then everybody is served, and nothing is left. */
  async end(): Promise<void> {
    for (const address of ADDRESSES.slice(0, this.#given.endpoints)) await this.#bringUp(address)
    for (let n = 0; n < 400 && this.#callers.some(({ outcome }) => outcome === 'waits'); n++) {
      for (const { connection } of this.#callers) if (connection && !connection.released) connection.release()
      await this.service.time.advance(200)
      this.check()
    }
    expect(this.#waiting).toEqual([])
    for (const { connection } of this.#callers) if (connection && !connection.released) connection.release()
    await Promise.all(this.#callers.map(({ settled }) => settled))
    await turns()
    expect(this.pool.stats).toMatchObject({ lent: 0, inFlight: 0, waiting: 0 })
    const closing = this.pool.close()
    await this.service.time.advance(10_000)
    await closing
    expect(this.pool.stats).toMatchObject({ idle: 0, lent: 0, checking: 0, closing: 0, connecting: 0 })
    for (const address of this.#up) expect(this.service.connections(address)).toBe(0)
    expect(this.service.time.pending).toBe(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.service[Symbol.asyncDispose]()
    await this.service.time.advance(10_000)
    await closing
  }

  get #waiting(): Caller[] {
    return this.#callers.filter(({ outcome }) => outcome === 'waits')
  }

  #acquire(timeoutMs: number): void {
    const abort = new AbortController()
    const caller: Caller = {
      abort,
      number: this.#callers.length,
      connection: undefined,
      outcome: 'waits',
      settled: Promise.resolve(),
    }
    this.#callers.push(caller)
    caller.settled = this.pool.acquire({ signal: abort.signal, timeoutMs }).then(
      (connection) => {
        caller.outcome = 'served'
        caller.connection = connection
        this.#servedOrder.push(caller.number)
      },
      (error: { code: string }) => {
        caller.outcome = 'failed'
        this.#codes.add(error.code)
      },
    )
  }

  async #giveBack(
    how: 'release' | 'fail' | 'destroy' | 'finish' | 'cancelRecv',
    index: number,
  ): Promise<void> {
    const held = this.#callers.filter(({ connection }) => connection && !connection.released)
    const connection = pickOf(held, index)?.connection
    if (!connection) return
    if (how === 'destroy') return connection.destroy()
    if (how === 'finish') connection.finish()
    if (how === 'cancelRecv') {
      connection.recv({ signal: AbortSignal.abort() }).catch(() => {})
    }
    connection.release(how === 'fail' ? new Error('overloaded') : undefined)
  }

  async #switch(how: 'down' | 'up', address: Address): Promise<void> {
    if (how === 'up') return this.#bringUp(address)
    if (!this.#up.delete(address)) return
    await this.service.kill(address)
  }

  async #bringUp(address: Address): Promise<void> {
    if (this.#up.has(address)) return
    this.#up.add(address)
    await this.service.serve(address)
  }
}

interface Given {
  mode: 'lease' | 'share'
  endpoints: number
  min: number
  max: number
  maxTotal: number
  maxUses: number
  maxInFlight: number
  latencyMs: number
  exhausted: 'wait' | 'fail'
  retries: boolean
  validates: boolean
  resets: boolean
  failures: number
}

function pickOf<E>(list: readonly E[], index: number): E | undefined {
  return list[index % Math.max(1, list.length)]
}

/** Fails with the seed and the shortest life that breaks a rule. */
export async function liveAnyLife(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(settings, steps, async (given, script) => {
      await using world = new World(given)
      await world.start()
      for (const step of script) await world.run(step)
      await world.end()
    }),
    { numRuns },
  )
}
