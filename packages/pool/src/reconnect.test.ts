/** Endpoints that fail, and come back. */
import { NettsError } from '@netts/core'
import { describe, expect, it } from 'vitest'
import { reconnectFixed, reconnectNever } from './policy/backoff.js'
import { roundRobin } from './policy/pick.js'
import { A, B, C, Service } from './test-support/service.js'
import { turns } from './test-support/virtual-time.js'

const refused = { code: 'ERR_NETTS_CONNECT_FAILED', message: 'connect to a:1: nobody listens there' }

describe('an endpoint that refuses', () => {
  it('is tried again by the policy while callers wait, and no oftener', async () => {
    await using service = new Service()
    const pool = service.pool({ reconnect: reconnectFixed(1000), acquireTimeoutMs: 10_500 })
    const waiting = Array.from({ length: 20 }, () => pool.acquire())
    const rejected = Promise.all(
      waiting.map((one) => expect(one).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT', cause: refused })),
    )
    await service.time.advance(10_500)
    await rejected
    // Eight at once, since nothing was known of it, and then one at a time.
    expect(service.attempts.get('a')).toBe(8 + 10)
    expect(pool.stats.endpoints[0]).toMatchObject({ failures: 11, failedAttempts: 18 })
    await service.time.advance(60_000)
    expect(service.attempts.get('a')).toBe(18)
  })

  it('serves those that wait once it is back', async () => {
    await using service = new Service()
    const pool = service.pool({ reconnect: reconnectFixed(100), max: 2 })
    const work = async () => {
      const connection = await pool.acquire()
      await turns()
      connection.release()
    }
    const all = Promise.all(Array.from({ length: 10 }, work))
    await service.time.advance(350)
    await service.serve()
    await service.time.advance(150)
    await all
    expect(pool.stats.endpoints[0]).toMatchObject({ failures: 0, lastError: undefined })
  })

  it('is the cause for a caller that waited meanwhile, although it works again', async () => {
    await using service = new Service()
    const pool = service.pool({ reconnect: reconnectFixed(100), max: 1 })
    const one = pool.acquire()
    const two = pool.acquire()
    const three = pool.acquire({ timeoutMs: 1000 })
    const rejected = expect(three).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      message: expect.stringContaining('; last error of a:1: connect to a:1'),
      cause: refused,
    })
    await service.time.advance(50)
    await service.serve()
    await service.time.advance(100)
    ;(await one).release()
    const lent = await two
    expect(pool.endpoints[0]).toMatchObject({ failures: 0, lastError: undefined })
    await service.time.advance(1500)
    await rejected
    // Whoever comes later has nothing to do with it.
    const later = expect(pool.acquire({ timeoutMs: 10 })).rejects.not.toHaveProperty('cause')
    await service.time.advance(20)
    await later
    lent.release()
  })

  it('is the cause also when all that is known is a connection that it ended', async () => {
    await using service = new Service(({ index }) => (index > 0 ? { connect: 'never' } : {}))
    await service.serve()
    const pool = service.pool({ max: 1 })
    await pool.acquire()
    const waiting = pool.acquire({ timeoutMs: 500 })
    const rejected = expect(waiting).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      cause: { code: 'ERR_NETTS_PEER_LOST' },
    })
    service.network.links[0]!.server.crash()
    await service.time.advance(600)
    await rejected
  })

  it('is not known to work by a connection that was opened before', async () => {
    await using service = new Service(({ index }) => (index > 0 ? { connect: 'refuse' } : {}))
    await service.serve()
    const pool = service.pool({ reconnect: reconnectFixed(1000) })
    const before = await pool.acquire()
    const waiting = pool.acquire()
    await turns()
    const failing = { failures: 1, lastError: { code: 'ERR_NETTS_CONNECT_FAILED' } }
    expect(pool.endpoints[0]).toMatchObject(failing)
    before.release()
    ;(await waiting).release()
    expect(pool.endpoints[0]).toMatchObject({ ...failing, idle: 1 })
  })

  it('fails one caller for each attempt with reconnectNever, with the cause', async () => {
    await using service = new Service()
    const pool = service.pool({ reconnect: reconnectNever() })
    for (let n = 0; n < 3; n++) {
      await expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED', cause: refused })
    }
    const three = [pool.acquire(), pool.acquire(), pool.acquire()]
    for (const one of three) {
      await expect(one).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED', cause: refused })
    }
    expect(service.attempts.get('a')).toBe(6)
  })

  it('makes no busy loop, whatever the policy of the program says', async () => {
    for (const reconnect of [() => 0, () => -5, () => Number.NaN, () => 'soon' as never]) {
      await using service = new Service()
      const pool = service.pool({ reconnect, acquireTimeoutMs: 1000 })
      const rejected = expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT' })
      await service.time.advance(1000)
      await rejected
      expect(service.attempts.get('a')).toBeLessThanOrEqual(1001)
      await pool.close()
    }
  })

  it('is tried by the default policy when that of the program throws, which is told', async () => {
    await using service = new Service()
    const error = new Error('bad policy')
    const pool = service.pool({
      reconnect: () => {
        throw error
      },
      acquireTimeoutMs: 1000,
    })
    const rejected = expect(pool.acquire()).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      cause: refused,
    })
    await service.time.advance(1000)
    await rejected
    expect(service.told('callback-failed')[0]).toMatchObject({
      callback: 'reconnect',
      error: { cause: error },
    })
    expect(service.attempts.get('a')).toBeGreaterThan(2)
  })

  it('fails a caller at once when no attempt can do better', async () => {
    await using service = new Service()
    const unavailable = new NettsError('ERR_NETTS_UNAVAILABLE', 'no device')
    const builder = { ...service.network.builder(), connect: () => Promise.reject(unavailable) }
    const pool = service.pool({ builder, min: 1 })
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
      cause: unavailable,
    })
    await service.time.advance(10_000)
    expect(pool.stats.endpoints[0]!.attempts).toBeLessThan(100)
    // A cause of this machine's says nothing about the endpoint.
    expect(pool.stats.endpoints[0]).toMatchObject({ breaker: 'closed' })
  })

  it('keeps its backoff when connections are accepted and end at once', async () => {
    await using service = new Service()
    await service.serve(A, async (connection) => connection.destroy())
    const pool = service.pool({ min: 2, reconnect: reconnectFixed(1000) })
    await service.time.advance(20_000)
    // Both of `min` in each round.
    expect(service.attempts.get('a')).toBeLessThanOrEqual(2 * 21)
    expect(pool.stats.endpoints[0]!.failures).toBeGreaterThan(5)
  })
})

describe('a dead endpoint among three', () => {
  it('is noticed by no more callers than it takes to find out', async () => {
    await using service = new Service()
    await service.serve(B)
    await service.serve(C)
    const pool = service.pool({ endpoints: [A, B, C], pick: roundRobin(), reconnect: reconnectFixed(1000) })
    for (let n = 0; n < 300; n++) {
      const connection = await pool.acquire()
      expect(connection.endpoint.address).not.toEqual(A)
      connection.release()
      if (n % 10 === 0) await service.time.advance(100)
    }
    // One by a caller, and the others by the pool itself.
    const { attempts } = pool.stats.endpoints[0]!
    expect(attempts).toBeLessThanOrEqual(5)
    expect(pool.stats.endpoints[0]).toMatchObject({ failedAttempts: attempts })
    expect(pool.stats.failedAcquires).toBe(0)
  })

  it('is taken out by its breaker, probed, and gets traffic again when it is back', async () => {
    await using service = new Service()
    await service.serve(B)
    await service.serve(C)
    const breaker = { failures: 3, openMs: 10_000 }
    const pool = service.pool({ endpoints: [A, B, C], reconnect: reconnectFixed(100), breaker })
    ;(await pool.acquire()).release()
    // Until a caller is sent there, nobody knows that it is dead; while all idle ones are held, one will be.
    const held = []
    while (service.told('connect-failed').length === 0 && held.length < 20) held.push(await pool.acquire())
    for (const connection of held) connection.release()
    await service.time.advance(1000)
    expect(service.told('endpoint-down')).toMatchObject([{ endpoint: A, error: refused }])
    expect(pool.endpoints[0]).toMatchObject({ breaker: 'open' })
    expect(service.attempts.get('a')).toBe(3)
    await service.serve(A)
    await service.time.advance(10_000)
    expect(service.told('endpoint-up')).toMatchObject([{ endpoint: A }])
    expect(pool.endpoints[0]).toMatchObject({ breaker: 'closed', idle: 1 })
    const hosts = new Set<unknown>()
    for (let n = 0; n < 100; n++) {
      const connection = await pool.acquire()
      hosts.add(connection.endpoint.address)
      connection.release()
    }
    expect([...hosts]).toContainEqual(A)
  })

  it('loses its idle connections when it is taken out, and lent ones stay with their borrowers', async () => {
    await using service = new Service()
    for (const address of [A, B, C]) await service.serve(address)
    const breaker = { failures: 2, openMs: 10_000 }
    const pool = service.pool({ endpoints: [A, B, C], pick: (all) => all[0], breaker })
    const [one, two, three, four] = await Promise.all([1, 2, 3, 4].map(() => pool.acquire()))
    expect(pool.endpoints[0]).toMatchObject({ lent: 4 })
    four!.release()
    one!.release(new Error('overloaded'))
    two!.release(new Error('overloaded'))
    expect(pool.endpoints[0]).toMatchObject({ breaker: 'open', idle: 0, lent: 1 })
    await three!.send(Buffer.from('still here'))
    expect(String(await three!.recv())).toBe('still here')
    const other = await pool.acquire()
    expect(other.endpoint.address).toEqual(B)
    three!.release()
    expect(pool.endpoints[0]).toMatchObject({ idle: 0, lent: 0 })
    other.release()
  })

  it('stays in when it is the last one, or when more than half are out', async () => {
    await using service = new Service()
    const pool = service.pool({
      endpoints: [A, B, C],
      breaker: { failures: 1, openMs: 60_000 },
      reconnect: reconnectFixed(100),
      acquireTimeoutMs: 5000,
    })
    const waiting = pool.acquire()
    await service.time.advance(3000)
    expect(pool.endpoints.map(({ breaker }) => breaker)).toEqual(['open', 'open', 'open'])
    await service.serve(C)
    await service.time.advance(200)
    ;(await waiting).release()
  })

  it('is taken out also when each of its connections lives for a while before it crashes', async () => {
    await using service = new Service()
    for (const address of [A, B, C]) await service.serve(address)
    const pool = service.pool({ endpoints: [A, B, C], pick: (all) => all[0], breaker: { failures: 3 } })
    for (let n = 0; n < 3; n++) {
      const connection = await pool.acquire()
      expect(connection.endpoint.address).toEqual(A)
      await service.time.advance(5000)
      service.network.links.at(-1)!.server.crash()
      await connection.closed
      connection.release()
    }
    expect(pool.endpoints[0]).toMatchObject({ breaker: 'open', failures: 0 })
  })

  it('counts crashes of lent connections, which a connect does not make good', async () => {
    await using service = new Service()
    for (const address of [A, B, C]) await service.serve(address)
    const pool = service.pool({ endpoints: [A, B, C], pick: (all) => all[0], breaker: { failures: 2 } })
    for (let n = 0; n < 2; n++) {
      const connection = await pool.acquire()
      service.network.links.at(-1)!.server.crash()
      expect(await connection.closed).toMatchObject({ code: 'ERR_NETTS_PEER_LOST' })
      connection.release()
      await service.time.advance(200)
    }
    expect(pool.endpoints[0]).toMatchObject({ breaker: 'open' })
    expect(pool.stats.endpoints[0]).toMatchObject({ lost: 2, failedAttempts: 0 })
  })
})

describe('an endpoint that swallows attempts to connect', () => {
  it('keeps nobody waiting while another one works', async () => {
    await using service = new Service(({ address }) =>
      (address as { host: string }).host === 'a' ? { connect: 'never' } : {},
    )
    await service.serve(B)
    const pool = service.pool({ endpoints: [A, B], pick: (all) => all[0] })
    const waiting = pool.acquire()
    await service.time.advance(249)
    expect(pool.stats.waiting).toBe(1)
    await service.time.advance(1)
    const connection = await waiting
    expect(connection.endpoint.address).toEqual(B)
    // The slow one is left to its deadline.
    expect(pool.stats.connecting).toBe(1)
    connection.release()
    await service.time.advance(10_000)
    expect(pool.endpoints[0]!.failures).toBeGreaterThan(0)
  })

  it('is asked once for each caller, and no oftener, when there is no other', async () => {
    await using service = new Service({ connect: 'never' })
    const pool = service.pool({ endpoints: [A, B], pick: (all) => all[0], acquireTimeoutMs: 0 })
    const waiting = [1, 2].map(() => pool.acquire().catch(() => {}))
    await service.time.advance(5000)
    expect(pool.endpoints.map(({ connecting }) => connecting)).toEqual([2, 2])
    const third = pool.acquire().catch(() => {})
    await service.time.advance(3000)
    expect(pool.stats.connecting).toBe(4)
    await pool.close()
    await Promise.all([...waiting, third])
  })

  it("is waited for with exhausted: 'fail' until its deadline", async () => {
    await using service = new Service({ connect: 'never' })
    const pool = service.pool({
      endpoints: [A, B],
      exhausted: 'fail',
      acquireTimeoutMs: 0,
      connectTimeoutMs: 1000,
    })
    let isOver = false
    const rejected = expect(
      pool.acquire().finally(() => {
        isOver = true
      }),
    ).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED', cause: { code: 'ERR_NETTS_TIMEOUT' } })
    await service.time.advance(999)
    expect(isOver).toBe(false)
    await service.time.advance(1000)
    await rejected
  })
})

describe('all endpoints dead', () => {
  it('fails callers by their own deadlines, with the newest cause', async () => {
    await using service = new Service()
    const pool = service.pool({ endpoints: [A, B, C] })
    const short = pool.acquire({ timeoutMs: 100 })
    const long = pool.acquire({ timeoutMs: 5000 })
    const cause = { code: 'ERR_NETTS_CONNECT_FAILED' }
    const both = Promise.all([
      expect(short).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT', cause }),
      expect(long).rejects.toMatchObject({ code: 'ERR_NETTS_TIMEOUT', cause }),
    ])
    await service.time.advance(100)
    expect(pool.stats.waiting).toBe(1)
    await service.time.advance(4900)
    await both
    const attempts = [...service.attempts.values()].reduce((sum, count) => sum + count, 0)
    expect(attempts).toBeLessThan(60)
  })
})
