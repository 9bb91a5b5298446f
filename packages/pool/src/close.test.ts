/** How a pool ends. */
import { describe, expect, it } from 'vitest'
import type { Pool } from './pool.js'
import { A, Service } from './test-support/service.js'
import { turns } from './test-support/virtual-time.js'

const closed = { code: 'ERR_NETTS_CLOSED' }

describe('close', () => {
  it('closes idle and lent connections, refuses who waits, and leaves no timer', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 2, min: 1, maxLifetimeMs: 10_000 })
    const lent = await pool.acquire()
    const idle = await pool.acquire()
    const waiting = pool.acquire()
    const rejected = expect(waiting).rejects.toMatchObject(closed)
    lent.trySend(Buffer.from('accepted before'))
    await pool.close()
    await rejected
    expect(pool.state).toBe('closed')
    expect(await lent.closed).toBe(undefined)
    expect(service.network.links[0]!.client.sentByteLength).toBe(19)
    lent.release()
    idle.release()
    await expect(pool.acquire()).rejects.toMatchObject(closed)
    await expect(pool.ready()).rejects.toMatchObject(closed)
    await pool.close()
    await pool.drain()
    expect(pool.stats).toMatchObject({ idle: 0, lent: 0, closing: 0, connecting: 0, inFlight: 0 })
    await turns()
    expect(service.connections()).toBe(0)
    expect(service.time.pending).toBe(0)
  })

  it('gives up attempts to connect, also one that succeeds at the same moment', async () => {
    await using service = new Service({ client: { latencyMs: 100 } })
    await service.serve()
    const pool = service.pool({ min: 2 })
    await service.time.advance(50)
    expect(pool.stats.connecting).toBe(2)
    await pool.close()
    await service.time.advance(100)
    expect(pool.stats.connecting).toBe(0)
    expect(service.connections()).toBe(0)

    const other = service.pool({ min: 1, prepare: () => void other.close() })
    await service.time.advance(200)
    expect(service.connections()).toBe(0)
    expect(other.stats).toMatchObject({ idle: 0, connecting: 0 })
  })

  it('is what disposing does', async () => {
    await using service = new Service()
    await service.serve()
    let seen: Pool
    {
      await using pool = service.pool({ min: 1 })
      await pool.ready()
      seen = pool
    }
    expect(seen.state).toBe('closed')
  })
})

describe('drain', () => {
  it('serves who waits, waits for who borrowed, and takes nobody new', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 1 })
    const first = await pool.acquire()
    const waiting = pool.acquire()
    let isDrained = false
    const drained = pool.drain().then(() => {
      isDrained = true
    })
    expect(pool.state).toBe('draining')
    await expect(pool.acquire()).rejects.toMatchObject(closed)
    first.release()
    const second = await waiting
    await second.send(Buffer.from('last'))
    expect(String(await second.recv())).toBe('last')
    expect(isDrained).toBe(false)
    second.release()
    await drained
    expect(pool.state).toBe('closed')
    await turns()
    expect(service.connections()).toBe(0)
    expect(service.time.pending).toBe(0)
  })

  it('closes at once what nobody uses', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ min: 2 })
    await pool.ready()
    await pool.drain()
    expect(service.told('retire').map(({ reason }) => reason)).toEqual(['closed', 'closed'])
  })

  it('destroys what is still lent at its deadline, and refuses who still waits', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 1 })
    const kept = await pool.acquire()
    const rejected = expect(pool.acquire()).rejects.toMatchObject(closed)
    const drained = pool.drain({ deadlineMs: 1000 })
    await service.time.advance(999)
    expect(kept.state).toBe('open')
    await service.time.advance(1)
    await Promise.all([drained, rejected])
    expect(await kept.closed).toMatchObject(closed)
    kept.release()
    expect(service.time.pending).toBe(0)
  })

  it('is over when close is called meanwhile', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const kept = await pool.acquire()
    const drained = pool.drain({ deadlineMs: 0 })
    await pool.close()
    await drained
    expect(await kept.closed).toBe(undefined)
    kept.release()
  })
})

describe('callbacks that call back into the pool', () => {
  it('from events leave the books right', async () => {
    await using service = new Service()
    await service.serve()
    const held: Promise<unknown>[] = []
    const pool = service.pool({
      max: 3,
      idleTimeoutMs: 1000,
      onEvent: (event) => {
        if (event.type !== 'retire' && event.type !== 'connect') return
        if (held.length < 20) held.push(pool.acquire().then((connection) => connection.release()))
      },
    })
    const first = await pool.acquire()
    await first.close()
    await service.time.advance(5000)
    await Promise.all(held)
    expect(held.length).toBeGreaterThan(2)
    await service.time.advance(10_000)
    await Promise.all(held)
    expect(pool.stats).toMatchObject({ lent: 0, inFlight: 0, waiting: 0, closing: 0 })
  })

  it('for a connection whenever there is none do not keep the event loop', async () => {
    await using service = new Service()
    await service.serve()
    let calls = 0
    const pool = service.pool({
      max: 1,
      exhausted: 'fail',
      onEvent: (event) => {
        if (event.type === 'acquire-failed' && calls++ < 1000) pool.acquire().catch(() => {})
      },
    })
    const held = await pool.acquire()
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_NETTS_POOL_EXHAUSTED' })
    expect(calls).toBeLessThan(10)
    held.release()
  })

  it('from pick wait until it has chosen', async () => {
    await using service = new Service()
    await service.serve()
    await service.serve({ host: 'b', port: 1 })
    let inner: Promise<void> | undefined
    const pool = service.pool({
      endpoints: [A, { host: 'b', port: 1 }],
      pick: (candidates) => {
        inner ??= pool.acquire().then((connection) => connection.release())
        return candidates[0]
      },
    })
    const outer = await pool.acquire()
    outer.release()
    await inner
    expect(pool.stats).toMatchObject({ lent: 0, waiting: 0 })
  })

  it('that close the pool from within pick end everything', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({
      endpoints: [A, { host: 'b', port: 1 }],
      pick: (candidates) => {
        void pool.close()
        return candidates[0]
      },
    })
    await expect(pool.acquire()).rejects.toMatchObject(closed)
    await turns()
    expect(pool.stats).toMatchObject({ connecting: 0, waiting: 0, idle: 0, lent: 0 })
  })

  it('that throw fail their caller alone', async () => {
    await using service = new Service()
    await service.serve()
    await service.serve({ host: 'b', port: 1 })
    const error = new Error('no idea')
    let isBroken = true
    const pool = service.pool({
      endpoints: [A, { host: 'b', port: 1 }],
      pick: (candidates) => {
        if (isBroken) throw error
        return candidates[1]
      },
    })
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'ERR_NETTS_INTERNAL',
      cause: error,
      message: "the pool's pick threw: no idea (idle 0, lent 0, connecting 0, waiting 0)",
    })
    expect(service.told('acquire-failed')).toMatchObject([{ error: { cause: error } }])
    expect(pool.stats.failedAcquires).toBe(1)
    isBroken = false
    ;(await pool.acquire()).release()
    const foreign = service.pool({ endpoints: [A, { host: 'b', port: 1 }], pick: () => ({}) as never })
    await expect(foreign.acquire()).rejects.toMatchObject({ code: 'ERR_NETTS_INTERNAL' })
  })
})
