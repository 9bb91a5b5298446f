/** Pools over real TCP: servers that die and come back under load, and servers that are not there. */

import { isNettsError } from '@netts/core'
import { tcp } from '@netts/tcp'
import { describe, expect, it, type TestContext } from 'vitest'
import { createPool, type Pool, type PoolEvent, reconnectExponential } from '../src/index.js'
import { deadAddress, EchoServer } from './echo-server.js'

const WORKERS = 200

interface Outcome {
  answered: number
  readonly errors: unknown[]
}

/** Asks until it is told to stop, or the test fails; goes on after errors. */
async function work(pool: Pool, outcome: Outcome, isOver: () => boolean): Promise<void> {
  while (!isOver() && pool.state === 'open') {
    try {
      const isAnswered = await pool.use(async (connection) => {
        await connection.send(Buffer.from('question'))
        return (await connection.recv()) !== undefined
      })
      if (isAnswered) outcome.answered++
      else outcome.errors.push(new Error('the peer ended'))
    } catch (error) {
      outcome.errors.push(error)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(condition: () => boolean, { signal }: TestContext): Promise<void> {
  while (!condition()) {
    signal.throwIfAborted()
    await sleep(5)
  }
}

describe('a server that is killed and started again under load', () => {
  it('costs errors with a cause alone, few attempts, and no connection', async (test) => {
    await using server = new EchoServer()
    await server.start()
    const events: PoolEvent[] = []
    const capMs = 200
    await using pool = createPool({
      builder: tcp(),
      endpoints: [server.address],
      max: 20,
      acquireTimeoutMs: 3000,
      reconnect: reconnectExponential({ baseMs: 20, capMs, random: () => 0.999 }),
      onEvent: (event) => events.push(event),
    })
    const outcome: Outcome = { answered: 0, errors: [] }
    let isOver = false
    const workers = Array.from({ length: WORKERS }, () => work(pool, outcome, () => isOver))
    await until(() => outcome.answered > 2000, test)
    expect(outcome.errors).toEqual([])

    await server.kill()
    const attemptsBefore = pool.stats.endpoints[0]!.attempts
    // Long enough that callers reach their deadlines.
    await until(() => outcome.errors.filter(isTimeout).length >= WORKERS, test)
    const rounds = pool.endpoints[0]!.failures
    const { attempts } = pool.stats.endpoints[0]!
    // As many as may be under way at once, and then one for each round of the policy.
    expect(attempts - attemptsBefore).toBeLessThanOrEqual(8 + rounds)
    expect(pool.stats).toMatchObject({ lent: 0, inFlight: 0, idle: 0 })

    await server.start()
    const { answered } = outcome
    await until(() => outcome.answered > answered + 2000, test)
    expect(pool.endpoints[0]).toMatchObject({ failures: 0, lastError: undefined })
    isOver = true
    await Promise.all(workers)

    for (const error of outcome.errors.filter(isNettsError)) {
      expect(['ERR_NETTS_TIMEOUT', 'ERR_NETTS_RESET', 'ERR_NETTS_PEER_LOST', 'ERR_NETTS_CLOSED']).toContain(
        error.code,
      )
      if (isTimeout(error)) expect(error.cause).toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED' })
    }
    const { idle, lent, waiting, connecting } = pool.stats
    expect({ lent, waiting, connecting }).toEqual({ lent: 0, waiting: 0, connecting: 0 })
    expect(idle).toBeGreaterThan(0)
    expect(idle).toBeLessThanOrEqual(20)
    const opened = events.filter(({ type }) => type === 'connect').length
    const retired = events.filter(({ type }) => type === 'retire').length
    expect(opened - retired).toBe(idle)
  })
})

function isTimeout(error: unknown): boolean {
  return isNettsError(error) && error.code === 'ERR_NETTS_TIMEOUT'
}

describe('a dead endpoint', () => {
  it('among three is noticed by no call', async ({ signal }) => {
    await using one = new EchoServer()
    await using two = new EchoServer()
    await Promise.all([one.start(), two.start()])
    const dead = await deadAddress()
    await using pool = createPool({ builder: tcp(), endpoints: [dead, one.address, two.address] })
    const outcome: Outcome = { answered: 0, errors: [] }
    const isOver = () => outcome.answered >= 2000 || signal.aborted
    await Promise.all(Array.from({ length: 50 }, () => work(pool, outcome, isOver)))
    expect(outcome.errors).toEqual([])
    const [atDead, ...alive] = pool.stats.endpoints
    expect(atDead!.attempts).toBeLessThanOrEqual(8 + atDead!.failures)
    for (const { acquired } of alive) expect(acquired).toBeGreaterThan(500)
  })

  it('that is the only one fails callers at their deadline, with the cause, and the event loop goes on', async () => {
    const addresses = [await deadAddress(), await deadAddress(), await deadAddress()]
    await using pool = createPool({ builder: tcp(), endpoints: addresses })
    let ticks = 0
    const timer = setInterval(() => ticks++, 10)
    const calls = Array.from({ length: 100 }, () => pool.acquire({ timeoutMs: 400 }).catch((error) => error))
    for (const error of await Promise.all(calls)) {
      expect(error).toMatchObject({
        code: 'ERR_NETTS_TIMEOUT',
        cause: { code: 'ERR_NETTS_CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } },
      })
    }
    clearInterval(timer)
    // In a loop that is kept busy, none fires.
    expect(ticks).toBeGreaterThan(3)
    const attempts = pool.stats.endpoints.reduce((sum, endpoint) => sum + endpoint.attempts, 0)
    const failures = pool.stats.endpoints.reduce((sum, endpoint) => sum + endpoint.failures, 0)
    expect(attempts).toBeLessThanOrEqual(3 * 8 + failures)
  })
})
