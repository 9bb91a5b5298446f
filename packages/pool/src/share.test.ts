/** Many callers on one connection. */
import { describe, expect, it } from 'vitest'
import type { Pool, PooledConnection } from './pool.js'
import { A, B, Service } from './test-support/service.js'
import { turns } from './test-support/virtual-time.js'

const borrow = (pool: Pool, count: number) => Promise.all(Array.from({ length: count }, () => pool.acquire()))

const giveBack = (connections: readonly PooledConnection[]) => {
  for (const connection of connections) connection.release()
}

describe('share mode', () => {
  it('gives one connection to many callers, and opens it once', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ mode: 'share' })
    const all = await borrow(pool, 10)
    expect(service.network.links.length).toBe(1)
    expect(pool.stats).toMatchObject({ lent: 1, inFlight: 10, idle: 0 })
    giveBack(all)
    expect(pool.stats).toMatchObject({ lent: 0, inFlight: 0, idle: 1 })
  })

  it('opens another one when all were above the target for a while, and not before', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ mode: 'share', share: { target: 2, growAfterMs: 100 } })
    const burst = await borrow(pool, 5)
    await service.time.advance(99)
    giveBack(burst.splice(0, 4))
    await service.time.advance(200)
    expect(service.network.links.length).toBe(1)
    const more = await borrow(pool, 5)
    await service.time.advance(99)
    expect(service.network.links.length).toBe(1)
    await service.time.advance(1)
    expect(service.network.links.length).toBe(2)
    // The new one has fewer callers: they spread.
    const rest = await borrow(pool, 4)
    expect(new Set(rest.map((one) => (one.localAddress as { port: number }).port)).size).toBe(1)
    giveBack([...burst, ...more, ...rest])
  })

  it('never gives a connection more callers than maxInFlight: further ones wait, in order', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ mode: 'share', max: 2, share: { maxInFlight: 3 } })
    const six = await borrow(pool, 6)
    expect(service.network.links.length).toBe(2)
    const served: number[] = []
    const late = [0, 1, 2].map(async (n) => {
      const connection = await pool.acquire()
      served.push(n)
      return connection
    })
    await turns()
    expect(pool.stats).toMatchObject({ waiting: 3, inFlight: 6 })
    giveBack(six)
    giveBack(await Promise.all(late))
    expect(served).toEqual([0, 1, 2])
    expect(pool.stats).toMatchObject({ idle: 2, inFlight: 0 })
  })

  it('takes the connection with fewer callers of two', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ mode: 'share', min: 2 })
    await pool.ready()
    const all = await borrow(pool, 40)
    const counts = new Map<number, number>()
    for (const one of all) {
      const { port } = one.localAddress as { port: number }
      counts.set(port, (counts.get(port) ?? 0) + 1)
    }
    expect([...counts.values()]).toEqual([20, 20])
    giveBack(all)
  })

  it('retires a connection without taking it from those who have it', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ mode: 'share' })
    const [one, two] = await borrow(pool, 2)
    one!.release(new Error('bad answers'))
    const three = await pool.acquire()
    expect(service.network.links.length).toBe(2)
    expect(two!.state).toBe('open')
    await two!.close()
    await turns()
    expect(service.connections()).toBe(1)
    three.release()
  })

  it('keeps a connection when a call on it throws', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ mode: 'share' })
    const other = await pool.acquire()
    const error = new Error('mine')
    await expect(pool.use(() => Promise.reject(error))).rejects.toBe(error)
    expect(other.state).toBe('open')
    ;(await pool.acquire()).release()
    expect(service.network.links.length).toBe(1)
    other.release()
  })

  it('leaves the messages to whoever multiplexes them', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({
      mode: 'share',
      prepare: (connection) => {
        const answers = new Map<string, (answer: string) => void>()
        const read = async () => {
          for await (const message of connection) answers.get(String(message))?.(String(message))
        }
        read().catch(() => {})
        return {
          ask: (question: string) =>
            new Promise<string>((resolve, reject) => {
              answers.set(question, resolve)
              connection.send(Buffer.from(question)).catch(reject)
            }),
        }
      },
    })
    const asked = Array.from({ length: 20 }, (_, n) =>
      pool.use(({ session }) => session.ask(`question ${n}`)),
    )
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 20 }, (_, n) => `question ${n}`))
    expect(service.network.links.length).toBe(1)
    expect(pool.stats).toMatchObject({ idle: 1, inFlight: 0 })
  })

  it('spreads over endpoints where each is kept warm', async () => {
    await using service = new Service()
    await service.serve(A)
    await service.serve(B)
    const pool = service.pool({ mode: 'share', endpoints: [A, B], min: 1 })
    await pool.ready()
    const all = await borrow(pool, 20)
    expect(pool.endpoints.map(({ inFlight }) => inFlight)).toEqual([10, 10])
    giveBack(all)
  })

  it('has no use for reset', async () => {
    await using service = new Service()
    expect(() => service.pool({ mode: 'share', reset: () => {} })).toThrow(/reset is for mode: 'lease'/)
  })
})
