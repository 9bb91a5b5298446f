/** Borrowing a connection, alone, and giving it back. */
import { createHook } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import type { Pool } from './pool.js'
import { Service } from './test-support/service.js'
import { turns } from './test-support/virtual-time.js'

describe('acquire', () => {
  it('opens a connection, and lends it again after its release', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const first = await pool.acquire()
    await first.send(Buffer.from('question'))
    expect(String(await first.recv())).toBe('question')
    expect(first.wire).toBe('mock')
    expect(first.endpoint.address).toEqual({ host: 'a', port: 1 })
    expect(pool.stats).toMatchObject({ idle: 0, lent: 1, inFlight: 1, waiting: 0, connecting: 0 })
    first.release()
    expect(pool.stats).toMatchObject({ idle: 1, lent: 0, inFlight: 0 })
    const second = await pool.acquire()
    expect(service.network.links.length).toBe(1)
    second.release()
  })

  it('lends the connection that came back last, so that a surplus can go', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const [one, two] = await Promise.all([pool.acquire(), pool.acquire()])
    const { localAddress } = one
    two.release()
    one.release()
    const again = await pool.acquire()
    expect(again.localAddress).toEqual(localAddress)
    again.release()
  })

  it('never opens more than max connections, and serves callers in order', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 2 })
    const served: number[] = []
    let most = 0
    const work = async (caller: number) => {
      await using _connection = await pool.acquire()
      served.push(caller)
      most = Math.max(most, pool.stats.lent)
      await turns()
    }
    await Promise.all(Array.from({ length: 10 }, (_, caller) => work(caller)))
    expect(served).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(most).toBe(2)
    expect(service.network.links.length).toBe(2)
    expect(pool.stats.endpoints[0]!.waitMs.count).toBe(10)
  })

  it('opens no more connections than callers wait for', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 10 })
    const waiting = [pool.acquire(), pool.acquire(), pool.acquire()]
    expect(pool.stats).toMatchObject({ connecting: 3, waiting: 3 })
    for (const connection of await Promise.all(waiting)) connection.release()
    expect(service.network.links.length).toBe(3)
  })

  it('connects to one endpoint at most maxConnecting times at once', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 10, maxConnecting: 2 })
    const waiting = Array.from({ length: 5 }, () => pool.acquire())
    expect(pool.stats).toMatchObject({ connecting: 2, waiting: 5 })
    for (const connection of await Promise.all(waiting)) connection.release()
  })

  it('rejects at its deadline, with the numbers, and the late connection serves the next caller', async () => {
    await using service = new Service({ client: { latencyMs: 500 } })
    await service.serve()
    const pool = service.pool()
    const rejected = expect(pool.acquire({ timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
      name: 'TimeoutError',
      operation: 'acquire',
      message: 'acquire did not complete within 100 ms (idle 0, lent 0, connecting 1, waiting 0)',
    })
    await service.time.advance(100)
    await rejected
    const next = pool.acquire()
    expect(pool.stats).toMatchObject({ connecting: 1, waiting: 1 })
    await service.time.advance(400)
    ;(await next).release()
    expect(service.network.links.length).toBe(1)
    expect(pool.stats.failedAcquires).toBe(1)
  })

  it('is cancelled by its signal, and the late connection stays for others', async () => {
    await using service = new Service({ client: { latencyMs: 500 } })
    await service.serve()
    const pool = service.pool()
    const abort = new AbortController()
    const waiting = pool.acquire({ signal: abort.signal })
    const reason = new Error('no more')
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED', cause: reason })
    abort.abort(reason)
    await rejected
    await service.time.advance(500)
    expect(pool.stats).toMatchObject({ idle: 1, waiting: 0, connecting: 0 })
    await expect(pool.acquire({ signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    expect(pool.stats).toMatchObject({ idle: 1, waiting: 0 })
  })

  it('leaves the order of others alone when one of them gives up', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 1 })
    const held = await pool.acquire()
    const abort = new AbortController()
    const served: string[] = []
    const one = pool.acquire().then((connection) => {
      served.push('one')
      connection.release()
    })
    const two = pool.acquire({ signal: abort.signal }).catch(() => served.push('two gave up'))
    const three = pool.acquire().then((connection) => {
      served.push('three')
      connection.release()
    })
    abort.abort()
    await two
    held.release()
    await Promise.all([one, three])
    expect(served).toEqual(['two gave up', 'one', 'three'])
  })

  it('refuses whom maxWaiters leaves no room, at once', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 1, maxWaiters: 1 })
    const held = await pool.acquire()
    const waiting = pool.acquire()
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'ERR_NETTS_POOL_EXHAUSTED',
      message:
        'no connection is free, and 1 callers wait already (maxWaiters) (idle 0, lent 1, connecting 0, waiting 1)',
    })
    held.release()
    ;(await waiting).release()
  })

  it("fails at once with exhausted: 'fail' when every connection is in use, and waits while one is opened", async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool({ max: 1, exhausted: 'fail' })
    const held = await pool.acquire()
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'ERR_NETTS_POOL_EXHAUSTED' })
    held.release()
    ;(await pool.acquire()).release()
  })

  it("fails with the cause with exhausted: 'fail' when no endpoint can be connected to", async () => {
    await using service = new Service()
    const pool = service.pool({ exhausted: 'fail' })
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
      cause: { code: 'ERR_NETTS_CONNECT_FAILED', message: 'connect to a:1: nobody listens there' },
    })
  })

  it('refuses options that are none', async () => {
    await using service = new Service()
    const pool = service.pool()
    const timeout = { timeoutMS: 5 } as object
    await expect(pool.acquire(timeout)).rejects.toMatchObject({ code: 'ERR_NETTS_INVALID_ARGUMENT' })
    await expect(pool.acquire({ timeoutMs: -1 })).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
  })
})

describe('a handle', () => {
  it('is of no use after its release, and never reaches the connection again', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const handle = await pool.acquire()
    handle.release()
    expect(handle.released).toBe(true)
    const released = { code: 'ERR_NETTS_CONNECTION_RELEASED' }
    const next = await pool.acquire()
    expect(() => handle.release()).toThrow(expect.objectContaining(released))
    expect(() => handle.trySend(Buffer.alloc(1))).toThrow(expect.objectContaining(released))
    expect(() => handle.destroy()).toThrow(expect.objectContaining(released))
    expect(() => handle.state).toThrow(expect.objectContaining(released))
    expect(() => handle.close()).toThrow(expect.objectContaining(released))
    await expect(handle.send(Buffer.alloc(1))).rejects.toMatchObject(released)
    await expect(handle.recv()).rejects.toMatchObject(released)
    await handle[Symbol.asyncDispose]()
    expect(next.state).toBe('open')
    await next.send(Buffer.from('mine'))
    expect(String(await next.recv())).toBe('mine')
    next.release()
  })

  it.each([
    ['a message that nobody took', async () => turns()],
    [
      'a receive that still waits',
      async (handle: Awaited<ReturnType<typeof asked>>) => {
        await handle.recv()
        handle.recv().catch(() => {})
      },
    ],
    [
      'a receive that was cancelled',
      async (handle: Awaited<ReturnType<typeof asked>>) => {
        await handle.recv()
        const abort = new AbortController()
        const receiving = handle.recv({ signal: abort.signal })
        abort.abort()
        await receiving.catch(() => {})
      },
    ],
  ])('that comes back with %s is not lent again', async (_what, leave) => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const handle = await asked(pool)
    await leave(handle)
    handle.release()
    expect(service.told('retire')).toMatchObject([{ reason: 'unclean' }])
    ;(await pool.acquire()).release()
    expect(service.network.links.length).toBe(2)
  })

  it('that comes back before the answer does not give it to the next borrower', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const handle = await pool.acquire()
    await handle.send(Buffer.from('late'))
    handle.release()
    await turns()
    const next = await pool.acquire()
    await next.send(Buffer.from('mine'))
    expect(String(await next.recv())).toBe('mine')
    next.release()
    expect(service.told('retire')).toMatchObject([{ reason: 'unclean' }])
  })

  it('that its borrower closed, destroyed or finished is not lent again', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const closed = await pool.acquire()
    await closed.close()
    const destroyed = await pool.acquire()
    destroyed.destroy(new Error('enough'))
    expect(await destroyed.closed).toMatchObject({ code: 'ERR_NETTS_DESTROYED' })
    const finished = await pool.acquire()
    finished.finish()
    finished.release()
    expect(service.told('retire').map(({ reason }) => reason)).toEqual(['released', 'released', 'ended'])
    await turns()
    expect(pool.stats).toMatchObject({ idle: 0, lent: 0, closing: 0 })
  })

  it('takes the pooled buffer of a send also after its release, as a connection does', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const handle = await pool.acquire()
    const buffer = handle.alloc(5000)
    const { bufferPool } = handle.transport
    handle.release()
    await expect(handle.send(buffer)).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECTION_RELEASED' })
    await expect(handle.flush()).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECTION_RELEASED' })
    expect(bufferPool.stats.outstanding).toBe(0)
  })

  it('iterates over messages and leases as a connection does', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const handle = await pool.acquire()
    await handle.send(Buffer.from('one'))
    for await (const message of handle) {
      expect(String(message)).toBe('one')
      break
    }
    await handle.send(Buffer.from('two'))
    for await (using lease of handle.leases()) {
      expect(String(Buffer.from(lease.bytes))).toBe('two')
      break
    }
    handle.release()
    expect(pool.stats.idle).toBe(1)
  })
})

async function asked(pool: Pool) {
  const handle = await pool.acquire()
  await handle.send(Buffer.from('question'))
  return handle
}

describe('borrowing an idle connection', () => {
  it('makes one promise', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    ;(await pool.acquire()).release()
    let promises = 0
    const hook = createHook({
      init(_id, type) {
        if (type === 'PROMISE') promises++
      },
    })
    const count = async (cycle: () => Promise<unknown>) => {
      promises = 0
      hook.enable()
      await cycle()
      hook.disable()
      return promises
    }
    const cycles = 100
    const ofAcquire = await count(async () => {
      for (let n = 0; n < cycles; n++) (await pool.acquire()).release()
    })
    const ofOnePromise = await count(async () => {
      for (let n = 0; n < cycles; n++) await Promise.resolve(n)
    })
    expect(ofOnePromise).toBeGreaterThanOrEqual(cycles)
    expect(ofAcquire).toBe(ofOnePromise)
  })
})

describe('use', () => {
  it('gives the connection back after the call', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const answer = await pool.use(async (connection) => {
      await connection.send(Buffer.from('why'))
      return String(await connection.recv())
    })
    expect(answer).toBe('why')
    expect(pool.stats).toMatchObject({ idle: 1, lent: 0 })
  })

  it('closes the connection if the call throws, and throws the same', async () => {
    await using service = new Service()
    await service.serve()
    const pool = service.pool()
    const error = new Error('mine')
    await expect(pool.use(() => Promise.reject(error))).rejects.toBe(error)
    expect(pool.stats).toMatchObject({ idle: 0, lent: 0 })
  })
})
