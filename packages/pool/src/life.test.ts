/** The life of a pooled connection: warm-up, idle time, lifetime, uses, checks, and its end. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Connection } from '@netts/core'
import { describe, expect, it } from 'vitest'
import { A, B, Service } from './test-support/service.js'
import { turns } from './test-support/virtual-time.js'

/** Borrows and gives back. */
const touch = async (pool: { acquire(): Promise<{ release(): void }> }) => (await pool.acquire()).release()

describe('min', () => {
  it('is opened ahead, and ready() says when', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ min: 3 })
    await pool.ready()
    expect(pool.stats).toMatchObject({ idle: 3, lent: 0 })
  })

  it('is ready at once when it is 0', async () => {
    await using service = new Service()
    await service.pool().ready()
    expect(service.attempts.size).toBe(0)
  })

  it('is ready when one endpoint has it and the other one failed', async () => {
    await using service = new Service()
    await service.serve(B)
    const pool = service.pool({ endpoints: [A, B], min: 2 })
    await pool.ready()
    expect(pool.endpoints).toMatchObject([{ idle: 0, failures: 1 }, { idle: 2 }])
  })

  it('is not ready before its deadline when all endpoints fail', async () => {
    await using service = new Service()
    const pool = service.pool({ min: 1 })
    const rejected = expect(pool.ready({ timeoutMs: 1000 })).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      operation: 'ready',
      cause: { code: 'ERR_NETTS_CONNECT_FAILED' },
    })
    await service.time.advance(1000)
    await rejected
  })

  it('is filled again after a loss, with nobody waiting, at a bounded rate', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ min: 10, max: 10, maxConnecting: 2, refillPerSecond: 10 })
    await turns()
    expect(pool.stats.idle).toBe(2)
    await service.time.advance(300)
    expect(pool.stats.idle).toBe(5)
    await service.time.advance(500)
    expect(pool.stats.idle).toBe(10)
    await service.time.advance(2000)
    for (const link of service.network.links.slice(0, 4)) link.server.crash()
    await turns()
    await service.time.advance(2000)
    expect(pool.stats.idle).toBe(10)
    expect(service.network.links.length).toBe(14)
  })
})

describe('a connection that nobody uses', () => {
  it('goes after its idle time-out, but for min', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ min: 1, idleTimeoutMs: 5000 })
    const three = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    for (const connection of three) connection.release()
    await service.time.advance(4999)
    expect(pool.stats.idle).toBe(3)
    await service.time.advance(2)
    expect(pool.stats.idle).toBe(1)
    expect(service.told('retire').map(({ reason }) => reason)).toEqual(['idle', 'idle'])
    expect(service.connections()).toBe(1)
  })

  it('stays for ever with 0', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ idleTimeoutMs: 0, maxLifetimeMs: 0 })
    await touch(pool)
    await service.time.advance(10_000_000)
    expect(pool.stats.idle).toBe(1)
  })

  it('is noticed when the peer ends or loses it, before anybody gets it', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const two = await Promise.all([pool.acquire(), pool.acquire()])
    for (const connection of two) connection.release()
    service.network.links[0]!.server.end()
    service.network.links[1]!.server.crash()
    await turns()
    expect(pool.stats).toMatchObject({ idle: 0, closing: 0 })
    expect(service.told('retire').map(({ reason }) => reason)).toEqual(['ended', 'lost'])
    // A server may end connections that nobody uses: that is no failure.
    expect(pool.endpoints[0]).toMatchObject({ failures: 0, breaker: 'closed' })
    await touch(pool)
  })

  it('is not lent after the machine slept for longer than its idle time-out', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ idleTimeoutMs: 5000 })
    await touch(pool)
    service.time.sleep(6000)
    await touch(pool)
    expect(service.told('retire').map(({ reason }) => reason)).toEqual(['idle'])
    expect(service.network.links.length).toBe(2)
  })

  it('outlives a clock that is set back by no more than its time', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ idleTimeoutMs: 5000 })
    await touch(pool)
    service.time.sleep(-3_600_000)
    await service.time.advance(5000)
    expect(pool.stats.idle).toBe(1)
    await service.time.advance(5001)
    expect(pool.stats.idle).toBe(0)
  })
})

describe('the lifetime of a connection', () => {
  it('is up to a quarter shorter than maxLifetimeMs, and ends when nobody has it', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({
      max: 20,
      min: 20,
      maxConnecting: 20,
      maxLifetimeMs: 10_000,
      refillPerSecond: 1000,
    })
    const all = await Promise.all(Array.from({ length: 20 }, () => pool.acquire()))
    for (const connection of all.slice(0, 10)) connection.release()
    await service.time.advance(7_500)
    const soon = service.told('retire').length
    await service.time.advance(1250)
    const middle = service.told('retire').length
    await service.time.advance(1251)
    expect(soon).toBeLessThan(middle)
    expect(middle).toBeLessThan(20)
    // Who has one keeps it.
    expect(all.slice(10).map((connection) => connection.state)).toEqual(Array(10).fill('open'))
    for (const connection of all.slice(10)) connection.release()
    await service.time.advance(100)
    expect(pool.stats).toMatchObject({ idle: 20, lent: 0, closing: 0 })
    expect(new Set(service.told('retire').map(({ reason }) => reason))).toEqual(new Set(['lifetime']))
  })

  it('ends after maxUses', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ maxUses: 3 })
    for (let n = 0; n < 7; n++) await touch(pool)
    expect(service.network.links.length).toBe(3)
    expect(service.told('retire').map(({ reason }) => reason)).toEqual(['uses', 'uses'])
  })
})

describe('prepare', () => {
  it('makes the session of each connection, before anybody gets it', async () => {
    await using service = new Service()
    await service.serve()
    let logins = 0
    const pool = service.pool({
      prepare: async (connection: Connection, { endpoint }) => {
        await connection.send(Buffer.from('login'))
        expect(String(await connection.recv())).toBe('login')
        return { user: `user ${++logins}`, endpoint }
      },
    })
    const connection = await pool.acquire()
    expect(connection.session).toEqual({ user: 'user 1', endpoint: A })
    connection.release()
    const again = await pool.acquire()
    expect(again.session.user).toBe('user 1')
    again.release()
  })

  it('that throws fails the attempt, with the cause, and leaves no connection', async () => {
    await using service = new Service()
    await service.serve()
    const error = new Error('wrong password')
    const pool = service.pool({ prepare: () => Promise.reject(error), acquireTimeoutMs: 1000 })
    const rejected = expect(pool.acquire()).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      cause: { cause: error },
    })
    await service.time.advance(1000)
    await rejected
    expect(service.connections()).toBe(0)
    expect(pool.endpoints[0]!.failures).toBeGreaterThan(0)
  })

  it('that does not end is given up with the time for the attempt', async () => {
    await using service = new Service()
    await service.serve()
    const aborted: unknown[] = []
    const pool = service.pool({
      connectTimeoutMs: 1000,
      prepare: (_connection, { signal }) =>
        new Promise<void>(() => signal.addEventListener('abort', () => aborted.push(signal.reason))),
    })
    const rejected = expect(pool.acquire({ timeoutMs: 5000 })).rejects.toMatchObject({
      cause: { operation: 'prepare' },
    })
    await service.time.advance(5000)
    await rejected
    expect(aborted[0]).toMatchObject({ code: 'ERR_NETTS_TIMEOUT', operation: 'prepare' })
    await pool.close()
    await turns()
    expect(service.connections()).toBe(0)
  })
})

describe('validate', () => {
  it('is asked after an idle gap alone, and the caller gets another connection if it says no', async () => {
    await using service = new Service()
    await service.serve()
    const asked: number[] = []
    const pool = service.pool({
      validateAfterIdleMs: 500,
      validate: (connection) => {
        asked.push((connection.localAddress as { port: number }).port)
        return asked.length > 1
      },
    })
    await touch(pool)
    await touch(pool)
    expect(asked.length).toBe(0)
    await service.time.advance(500)
    await touch(pool)
    expect(asked.length).toBe(1)
    expect(service.network.links.length).toBe(2)
    await service.time.advance(500)
    await touch(pool)
    expect(service.network.links.length).toBe(2)
    expect(service.told('retire')).toMatchObject([{ reason: 'invalid' }])
  })

  it.each([
    ['throws', () => Promise.reject(new Error('no'))],
    ['says anything but true', () => 1 as never],
    ['does not answer in time', () => new Promise<boolean>(() => {})],
  ])('that %s is a no', async (_how, validate) => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ validate, checkTimeoutMs: 100 })
    await touch(pool)
    await service.time.advance(500)
    const next = touch(pool)
    await service.time.advance(100)
    await next
    expect(service.told('retire')).toMatchObject([{ reason: 'invalid' }])
  })

  it('may talk with the peer: the answers are not taken for leftovers', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({
      validate: async (connection) => {
        await connection.send(Buffer.from('ping'))
        return String(await connection.recv()) === 'ping'
      },
    })
    await touch(pool)
    await service.time.advance(500)
    await touch(pool)
    await touch(pool)
    expect(service.network.links.length).toBe(1)
  })

  it('leaves the others in order while it is at work', async () => {
    await using service = new Service()
    await service.serve()
    let answer = (_: boolean) => {}
    const pool = service.pool({
      max: 1,
      validate: () =>
        new Promise<boolean>((resolve) => {
          answer = resolve
        }),
    })
    await touch(pool)
    await service.time.advance(500)
    const served: number[] = []
    const work = async (n: number) => {
      await using _ = await pool.acquire()
      served.push(n)
    }
    const all = [work(1), work(2), work(3)]
    await turns()
    expect(pool.stats).toMatchObject({ checking: 1, waiting: 3, idle: 0 })
    answer(true)
    await Promise.all(all)
    expect(served).toEqual([1, 2, 3])
  })
})

describe('reset', () => {
  it('runs before the next borrower, who waits for it', async () => {
    await using service = new Service()
    await service.serve()
    const log: string[] = []
    const pool = service.pool({
      max: 1,
      reset: async (connection) => {
        await connection.send(Buffer.from('reset'))
        log.push(String(await connection.recv()))
      },
    })
    const first = await pool.acquire()
    const second = pool.acquire().then((connection) => {
      log.push('second')
      return connection
    })
    first.release()
    ;(await second).release()
    await turns()
    expect(log).toEqual(['reset', 'second', 'reset'])
    expect(service.network.links.length).toBe(1)
    expect(pool.stats).toMatchObject({ idle: 1, checking: 0 })
  })

  it('that throws closes the connection, and the next borrower gets another one', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 1, reset: () => Promise.reject(new Error('no')) })
    const first = await pool.acquire()
    const second = pool.acquire()
    first.release()
    await second
    expect(service.told('retire')).toMatchObject([{ reason: 'reset' }])
    expect(service.network.links.length).toBe(2)
  })
})

describe('a leak', () => {
  it('is told once with the stack of the borrower', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ leakAfterMs: 1000 })
    const kept = await (async function forgetful() {
      return pool.acquire()
    })()
    await service.time.advance(999)
    expect(service.told('leak')).toEqual([])
    await service.time.advance(5000)
    expect(service.told('leak')).toMatchObject([{ endpoint: A, lentForMs: 1000, isCollected: false }])
    expect(service.told('leak')[0]!.stack).toMatch(/forgetful/)
    kept.release()
    await touch(pool)
    await service.time.advance(2000)
    expect(service.told('leak').length).toBe(1)
  })

  it('whose borrower was garbage-collected is told, and its connection closed', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ leakAfterMs: 60_000, max: 1 })
    const forget = async () => void (await pool.acquire())
    await forget()
    const next = pool.acquire()
    await waitForCollection(() => service.told('leak').length > 0)
    expect(service.told('leak')).toMatchObject([{ endpoint: A, isCollected: true }])
    ;(await next).release()
    expect(service.told('retire')).toMatchObject([{ reason: 'leaked' }])
    expect(pool.stats).toMatchObject({ idle: 1, lent: 0, inFlight: 0 })
  })
})

/** Collects garbage until the condition holds, or it is of no use. */
async function waitForCollection(condition: () => boolean): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let n = 0; n < 200 && !condition(); n++) {
    collect()
    await turns()
  }
}
