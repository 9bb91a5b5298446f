/** What a connection does with messages on their way out. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { HOST_MEMORY } from '../buffer-pool/buffer-pool.js'
import { createBufferPool } from '../buffer-pool/create-buffer-pool.js'
import {
  connectionAndPeer,
  connectionPair,
  drain,
  expectBytes,
  expectNothingHeld,
  frame,
  pattern,
  settle,
} from '../test-support/connection-pair.js'

const refused = (code: string) => expect.objectContaining({ code })

/** Refuses everything while `isOpen` is false. */
function gate(isOpen: boolean) {
  const state = { isOpen, accept: (byteLength: number) => (state.isOpen ? byteLength : 0) }
  return state
}

afterEach(() => {
  vi.useRealTimers()
})

describe('the wire', () => {
  it('carries the length, 4 bytes big-endian, and then the bytes', async () => {
    const { connection, transport } = connectionAndPeer()
    await connection.send(Buffer.from('hello'))
    await connection.send(new Uint8Array(0))
    await settle()
    expectBytes(Buffer.concat(transport.sent), Buffer.from('\0\0\0\x05hello\0\0\0\0', 'latin1'))
  })

  it('is the same whichever way a message leaves', async () => {
    const { connection, transport } = connectionAndPeer({ maxSendSize: 2048, recvWindow: 1 << 22 })
    const expected: Buffer[] = []
    for (const size of [1, 2043, 2044, 2045, 2048, 5000, 70_000]) {
      const payload = pattern(size)
      await connection.send(payload)
      expect(connection.trySend(payload)).toBe(true)
      const framed = connection.alloc(size)
      framed.bytes.set(payload)
      await connection.send(framed)
      const plain = transport.bufferPool.alloc(size)
      plain.bytes.set(payload)
      await connection.send(plain)
      expected.push(...Array.from({ length: 4 }, () => frame(payload)))
    }
    await connection.send(connection.alloc(0))
    await connection.flush()
    expectBytes(Buffer.concat(transport.sent), Buffer.concat([...expected, frame('')]))
    await settle()
    expectNothingHeld(transport)
  })
})

describe('coalescing', () => {
  it('lets what was sent in one turn leave together, when the turn is over', async () => {
    const { connection, transport } = connectionAndPeer()
    for (let n = 0; n < 100; n++) connection.trySend(pattern(64))
    expect(transport.sent).toEqual([])
    await new Promise<void>((resolve) => process.nextTick(resolve))
    expect(transport.sent.map((chunk) => chunk.byteLength)).toEqual([6800])
  })

  it('lets 100 awaited sends leave together', async () => {
    const { connection, transport } = connectionAndPeer()
    for (let n = 0; n < 100; n++) await connection.send(pattern(64))
    await settle()
    expect(transport.sent.length).toBe(1)
    expect(connection.stats).toMatchObject({ messagesSent: 100, bytesSent: 6400, chunksSent: 1 })
  })

  it('does not wait when the chunk is full', () => {
    const { connection, transport } = connectionAndPeer({ maxSendSize: 1024 })
    for (let n = 0; n < 4; n++) connection.trySend(pattern(252))
    expect(transport.sent.map((chunk) => chunk.byteLength)).toEqual([1024])
    connection.trySend(pattern(800))
    connection.trySend(pattern(800))
    expect(transport.sent.map((chunk) => chunk.byteLength)).toEqual([1024, 804])
  })

  it('goes on under fake timers', async () => {
    vi.useFakeTimers()
    const { one, two } = connectionPair()
    await one.send(Buffer.from('hello'))
    expect((await two.recv())?.toString()).toBe('hello')
  })

  it('holds no buffer of the pool while idle', async () => {
    const { connection, transport } = connectionAndPeer()
    await connection.send(pattern(10))
    await settle()
    expectNothingHeld(transport)
  })

  it('uses memory of its own when the pool is exhausted', async () => {
    const bufferPool = createBufferPool({ classes: [{ byteLength: 1024, count: 1 }], detectLeaks: true })
    const { connection, transport } = connectionAndPeer({ maxSendSize: 1024, bufferPool })
    const hog = bufferPool.alloc(1)
    const expected: Buffer[] = []
    for (let n = 0; n < 50; n++) {
      await connection.send(pattern(100, n))
      expected.push(frame(pattern(100, n)))
    }
    hog.release()
    await settle()
    expectBytes(Buffer.concat(transport.sent), Buffer.concat(expected))
    expectNothingHeld(transport)
  })

  it('goes on with memory of its own when the pool is closed, or its source of slabs fails', async () => {
    const failing = (): never => {
      throw new Error('no memory for a slab')
    }
    const closed = createBufferPool({ detectLeaks: true })
    closed.close()
    for (const bufferPool of [closed, createBufferPool({ allocateSlab: failing, detectLeaks: true })]) {
      const blocked = gate(false)
      const { connection, transport } = connectionAndPeer({
        maxSendSize: 1024,
        bufferPool,
        accept: blocked.accept,
      })
      const sends = [0, 1, 2, 3].map((n) => connection.send(pattern(700, n)))
      await settle()
      blocked.isOpen = true
      transport.wakeUp()
      await Promise.all(sends)
      await connection.flush()
      expectBytes(
        Buffer.concat(transport.sent),
        Buffer.concat([0, 1, 2, 3].map((n) => frame(pattern(700, n)))),
      )
    }
  })

  it('keeps every header when the pool has buffers of a few bytes only', async () => {
    const bufferPool = createBufferPool({ classes: [{ byteLength: 3, count: 9 }], detectLeaks: true })
    const { connection, transport } = connectionAndPeer({ maxSendSize: 20_000, bufferPool })
    const buffer = createBufferPool().alloc(10_000)
    buffer.bytes.set(pattern(10_000))
    await connection.send(pattern(0))
    await connection.send(buffer)
    await connection.flush()
    expectBytes(Buffer.concat(transport.sent), Buffer.concat([frame(pattern(0)), frame(pattern(10_000))]))
  })

  it('keeps its own memory in order when the transport takes it in pieces', async () => {
    const bufferPool = createBufferPool({ classes: [{ byteLength: 1024, count: 1 }], detectLeaks: true })
    const { connection, transport } = connectionAndPeer({
      maxSendSize: 1024,
      bufferPool,
      accept: (byteLength) => Math.ceil(byteLength / 3),
    })
    bufferPool.alloc(1)
    const expected: Buffer[] = []
    for (let n = 0; n < 50; n++) {
      await connection.send(pattern(100, n))
      expected.push(frame(pattern(100, n)))
    }
    await connection.flush()
    expectBytes(Buffer.concat(transport.sent), Buffer.concat(expected))
  })
})

describe('backpressure', () => {
  it('refuses trySend without doing anything, until there is room', async () => {
    const blocked = gate(false)
    const { connection, transport } = connectionAndPeer({ maxSendSize: 1024, accept: blocked.accept })
    let accepted = 0
    while (connection.trySend(pattern(96, accepted))) accepted++
    expect(accepted).toBe(10)
    expect(connection.trySend(pattern(2000))).toBe(false)
    expect(connection.stats.messagesSent).toBe(10)
    blocked.isOpen = true
    transport.wakeUp()
    await settle()
    expect(connection.trySend(pattern(96, accepted++))).toBe(true)
    await settle()
    expectBytes(
      Buffer.concat(transport.sent),
      Buffer.concat(Array.from({ length: accepted }, (_, n) => frame(pattern(96, n)))),
    )
  })

  it('keeps the order of sends that wait, of any kind and size', async () => {
    const blocked = gate(false)
    const { connection, transport } = connectionAndPeer({ maxSendSize: 1024, accept: blocked.accept })
    const sizes = [500, 400, 1000, 10, 3000, 0, 1020, 1021, 5]
    const settled: number[] = []
    const sends = sizes.map((size, n) => {
      let data: Parameters<typeof connection.send>[0] = pattern(size, n)
      if (n % 3 === 2) {
        data = connection.alloc(size)
        data.bytes.set(pattern(size, n))
      }
      return connection.send(data).then(() => settled.push(n))
    })
    await settle()
    expect(settled).toEqual([0, 1])
    expect(connection.trySend(pattern(1))).toBe(false)
    blocked.isOpen = true
    transport.wakeUp()
    await Promise.all(sends)
    // The one of 3000 bytes is lent, and accepted when it is back; what is sent behind it need not wait for that.
    expect(settled.filter((n) => n !== 4)).toEqual([0, 1, 2, 3, 5, 6, 7, 8])
    await connection.flush()
    expectBytes(Buffer.concat(transport.sent), Buffer.concat(sizes.map((size, n) => frame(pattern(size, n)))))
    expectNothingHeld(transport)
  })

  it('accepts a large message by trySend once it has begun, and keeps what is left of it', async () => {
    let budget = 1500
    const { connection, transport } = connectionAndPeer({
      maxSendSize: 1024,
      accept: (byteLength) => {
        const taken = Math.min(budget, byteLength)
        budget -= taken
        return taken
      },
    })
    const data = pattern(5000)
    const expected = frame(data)
    expect(connection.trySend(data)).toBe(true)
    data.fill(0)
    expect(connection.trySend(Buffer.from('next'))).toBe(false)
    const next = connection.send(Buffer.from('next'))
    budget = Number.POSITIVE_INFINITY
    transport.wakeUp()
    await next
    await connection.flush()
    expectBytes(Buffer.concat(transport.sent), Buffer.concat([expected, frame('next')]))
    expect(connection.stats).toMatchObject({ messagesSent: 2, bytesSent: 5004 })
  })

  it('sends nothing of an aborted send', async () => {
    const blocked = gate(false)
    const { connection, transport } = connectionAndPeer({ maxSendSize: 1024, accept: blocked.accept })
    await connection.send(pattern(1000))
    const controller = new AbortController()
    const { signal } = controller
    const pooled = connection.alloc(100)
    const abandoned = [
      connection.send(pattern(100), { signal }),
      connection.send(pattern(5000), { signal }),
      connection.send(pooled, { signal }),
    ]
    const patient = connection.send(Buffer.from('patient'))
    controller.abort()
    for (const send of abandoned) await expect(send).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    expect(() => pooled.bytes).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
    await expect(connection.send(pattern(1), { signal })).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    blocked.isOpen = true
    transport.wakeUp()
    await patient
    await connection.flush()
    expectBytes(Buffer.concat(transport.sent), Buffer.concat([frame(pattern(1000)), frame('patient')]))
    expect(connection.stats.messagesSent).toBe(2)
    expectNothingHeld(transport)
  })

  it('does not abort a message that has begun to leave', async () => {
    let budget = 1500
    const { connection, transport } = connectionAndPeer({
      maxSendSize: 1024,
      accept: (byteLength) => {
        const taken = Math.min(budget, byteLength)
        budget -= taken
        return taken
      },
    })
    const controller = new AbortController()
    const begun = connection.send(pattern(5000), { signal: controller.signal })
    controller.abort()
    budget = Number.POSITIVE_INFINITY
    transport.wakeUp()
    await begun
    await connection.flush()
    expectBytes(Buffer.concat(transport.sent), frame(pattern(5000)))
  })

  it('does not abort a message whose beginning left while it waited', async () => {
    let budget = 0
    const { connection, transport } = connectionAndPeer({
      maxSendSize: 1024,
      accept: (byteLength) => {
        const taken = Math.min(budget, byteLength)
        budget -= taken
        return taken
      },
    })
    const controller = new AbortController()
    // The second one waits for the first, so that nothing of the last one has gone anywhere when it begins to wait.
    const before = [connection.send(pattern(1000)), connection.send(pattern(1000))]
    const begun = connection.send(pattern(5000), { signal: controller.signal })
    budget = 2 * 1004 + 2
    transport.wakeUp()
    await settle()
    controller.abort()
    budget = Number.POSITIVE_INFINITY
    transport.wakeUp()
    await Promise.all([...before, begun])
    await connection.flush()
    const expected = [frame(pattern(1000)), frame(pattern(1000)), frame(pattern(5000))]
    expectBytes(Buffer.concat(transport.sent), Buffer.concat(expected))
  })
})

describe('pooled buffers', () => {
  it('leave with their header and without a copy, when they come from the connection', async () => {
    const { one, two, transportOne } = connectionPair()
    const buffer = one.alloc(5000)
    expect(buffer.byteLength).toBe(5000)
    buffer.bytes.set(pattern(5000))
    const { buffer: slab } = buffer.bytes
    const inSlab = vi.spyOn(transportOne, 'sendBuffer')
    await one.send(buffer)
    expect(inSlab.mock.calls.length).toBe(1)
    expect(inSlab.mock.calls[0]![0]).toBe(buffer)
    expect(slab).toBeInstanceOf(ArrayBuffer)
    expectBytes(await two.recv(), pattern(5000))
    expect(one.stats).toMatchObject({ zeroCopySends: 1, chunksSent: 1 })
    expect(() => buffer.bytes).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
    await settle()
    expectNothingHeld(transportOne)
  })

  it('follow their header, when they are others of the same memory', async () => {
    const { one, two, transportOne } = connectionPair()
    const ownPool = createBufferPool({ detectLeaks: true })
    expect(ownPool.domain).toBe(HOST_MEMORY)
    for (const pool of [transportOne.bufferPool, ownPool]) {
      const buffer = pool.alloc(5000)
      buffer.bytes.set(pattern(5000))
      await one.send(buffer)
      expectBytes(await two.recv(), pattern(5000))
    }
    expect(one.stats).toMatchObject({ zeroCopySends: 2, chunksSent: 4 })
    await settle()
    expectNothingHeld(transportOne)
    expect(ownPool.stats.outstanding).toBe(0)
  })

  it('are copied behind the messages before, when they are small', async () => {
    const { one, two, transportOne } = connectionPair()
    for (const buffer of [one.alloc(10), transportOne.bufferPool.alloc(4096), one.alloc(0)]) {
      buffer.bytes.set(pattern(buffer.byteLength))
      expect(one.trySend(buffer)).toBe(true)
      expect(() => buffer.bytes).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
    }
    for (const size of [10, 4096, 0]) expectBytes(await two.recv(), pattern(size))
    expect(one.stats).toMatchObject({ zeroCopySends: 0, chunksSent: 1, messagesSent: 3 })
    await settle()
    expectNothingHeld(transportOne)
  })

  it('are copied when their memory is another device’s', async () => {
    const { one, two } = connectionPair()
    const pool = createBufferPool({ domain: Symbol('another device') })
    for (const size of [10, 100_000]) {
      const buffer = pool.alloc(size)
      buffer.bytes.set(pattern(size))
      await one.send(buffer)
      expectBytes(await two.recv(), pattern(size))
    }
    expect(one.stats.zeroCopySends).toBe(0)
    expect(pool.stats.outstanding).toBe(0)
  })

  it('stay the caller’s, as they were, when trySend refuses', async () => {
    const blocked = gate(false)
    const { connection, transport } = connectionAndPeer({ accept: blocked.accept })
    const framed = connection.alloc(5000)
    framed.bytes.set(pattern(5000))
    expect(connection.trySend(framed)).toBe(false)
    expect([...framed.bytes]).toEqual([...pattern(5000)])
    framed.release()
    const plain = transport.bufferPool.alloc(5000)
    expect(connection.trySend(plain)).toBe(false)
    plain.release()
    blocked.isOpen = true
    transport.wakeUp()
    await settle()
    expect(transport.sent).toEqual([])
    expectNothingHeld(transport)
  })

  it('are released when send refuses them', async () => {
    const { connection, transport } = connectionAndPeer({}, { maxMessageSize: 100 })
    await expect(connection.send(transport.bufferPool.alloc(101))).rejects.toMatchObject({
      code: 'ERR_NETTS_MESSAGE_TOO_LARGE',
    })
    const released = connection.alloc(10)
    released.release()
    await expect(connection.send(released)).rejects.toMatchObject({ code: 'ERR_NETTS_BUFFER_RELEASED' })
    connection.finish()
    await expect(connection.send(transport.bufferPool.alloc(1))).rejects.toMatchObject({
      code: 'ERR_NETTS_CLOSED',
    })
    expectNothingHeld(transport)
  })

  it('are the connection’s from the call on, also while they wait', async () => {
    const blocked = gate(false)
    const { connection, transport } = connectionAndPeer({ maxSendSize: 1024, accept: blocked.accept })
    await connection.send(pattern(1000))
    const expected: Buffer[] = [frame(pattern(1000))]
    const buffers = [connection.alloc(10), transport.bufferPool.alloc(10), transport.bufferPool.alloc(2000)]
    const sends = buffers.map((buffer, n) => {
      buffer.bytes.set(pattern(buffer.byteLength, n))
      expected.push(frame(pattern(buffer.byteLength, n)))
      return connection.send(buffer)
    })
    for (const buffer of buffers) {
      expect(() => buffer.bytes).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
      expect(() => buffer.release()).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
    }
    blocked.isOpen = true
    transport.wakeUp()
    await Promise.all(sends)
    await connection.flush()
    expectBytes(Buffer.concat(transport.sent), Buffer.concat(expected))
    await settle()
    expectNothingHeld(transport)
  })

  it('are released when the connection ends before they could leave', async () => {
    const blocked = gate(false)
    const { connection, transport } = connectionAndPeer({ accept: blocked.accept })
    const sends = [
      connection.send(pattern(10)),
      connection.send(connection.alloc(5000)),
      connection.send(connection.alloc(5000)),
    ]
    await settle()
    connection.destroy()
    expect(await Promise.allSettled(sends)).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'ERR_NETTS_DESTROYED' } },
      { status: 'rejected', reason: { code: 'ERR_NETTS_DESTROYED' } },
    ])
    expectNothingHeld(transport)
  })

  it('can be had for the largest message that the pool has room for, and no larger', () => {
    const { connection, transport } = connectionAndPeer()
    expect(connection.alloc(transport.bufferPool.maxByteLength - 4).byteLength).toBe(
      transport.bufferPool.maxByteLength - 4,
    )
    expect(() => connection.alloc(transport.bufferPool.maxByteLength - 3)).toThrow(
      refused('ERR_NETTS_INVALID_ARGUMENT'),
    )
    expect(() => connection.alloc(-1)).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
    expect(() => connection.alloc(connection.maxMessageSize + 1)).toThrow(
      refused('ERR_NETTS_MESSAGE_TOO_LARGE'),
    )
  })
})

describe('bad arguments', () => {
  it('are refused before anything happens', async () => {
    const { connection, transport } = connectionAndPeer({}, { maxMessageSize: 100 })
    for (const data of [undefined, null, 'text', 5, {}, [1, 2], new ArrayBuffer(4), new Uint16Array(2)]) {
      expect(() => connection.trySend(data as never)).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
      await expect(connection.send(data as never)).rejects.toMatchObject({
        code: 'ERR_NETTS_INVALID_ARGUMENT',
      })
    }
    expect(() => connection.trySend(new Uint8Array(101))).toThrow(refused('ERR_NETTS_MESSAGE_TOO_LARGE'))
    await expect(connection.send(new Uint8Array(101))).rejects.toMatchObject({
      code: 'ERR_NETTS_MESSAGE_TOO_LARGE',
    })
    await expect(connection.send(new Uint8Array(1), { signal: 1 as never })).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
    await expect(connection.flush({ signal: 1 as never })).rejects.toMatchObject({
      code: 'ERR_NETTS_INVALID_ARGUMENT',
    })
    await settle()
    expect(transport.sent).toEqual([])
    await connection.send(new Uint8Array(100))
  })
})

describe('a large message', () => {
  const large = { maxSendSize: 1024, holdCompletions: true }

  it('is sent from where it lies, and accepted when the transport has given its memory back', async () => {
    const { connection, transport } = connectionAndPeer(large)
    const payload = pattern(5000)
    const before = Buffer.from(payload)
    let isSettled = false
    const sent = connection.send(payload).then(() => {
      isSettled = true
    })
    await settle()
    expectBytes(Buffer.concat(transport.sent), frame(before))
    transport.completeOldest(transport.sent.length - 1)
    await settle()
    expect(isSettled).toBe(false)
    transport.completeOldest(1)
    await sent
    expectBytes(payload, before)
    expect(connection.stats).toMatchObject({ messagesSent: 1, bytesSent: 5000, zeroCopySends: 1 })
  })

  it('lets others follow, which are accepted at once, while the transport has its memory', async () => {
    const { connection, transport } = connectionAndPeer(large)
    const settled: string[] = []
    const sent = connection.send(pattern(5000)).then(() => settled.push('large'))
    await connection.send(pattern(10)).then(() => settled.push('small'))
    expect(connection.trySend(pattern(20))).toBe(true)
    await settle()
    expect(settled).toEqual(['small'])
    transport.completeOldest()
    await sent
    await connection.flush()
    expectBytes(
      Buffer.concat(transport.sent),
      Buffer.concat([frame(pattern(5000)), frame(pattern(10)), frame(pattern(20))]),
    )
  })

  it('is copied from shared memory, for trySend, and for memory of another kind', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(5000))
    const one = connectionAndPeer(large).connection
    await one.send(shared)
    expect(one.trySend(pattern(5000))).toBe(true)
    expect(one.stats.zeroCopySends).toBe(0)
    const bufferPool = createBufferPool({ domain: Symbol('registered'), detectLeaks: true })
    const two = connectionAndPeer({ ...large, bufferPool }).connection
    await two.send(pattern(5000))
    expect(two.stats.zeroCopySends).toBe(0)
  })

  it('is rejected when the connection fails before all of it has left, and so are those behind', async () => {
    for (const fail of ['destroy', 'peer'] as const) {
      let budget = 4000
      const accept = (byteLength: number) => {
        const taken = Math.min(byteLength, budget)
        budget -= taken
        return taken
      }
      const { connection, transport, peer } = connectionAndPeer({ ...large, accept })
      const controller = new AbortController()
      const sends = [
        connection.send(pattern(5000), { signal: controller.signal }),
        connection.send(pattern(10)),
      ]
      expect(connection.trySend(pattern(10))).toBe(false)
      controller.abort()
      await settle()
      if (fail === 'destroy') connection.destroy()
      else peer.destroy()
      const code = fail === 'destroy' ? 'ERR_NETTS_DESTROYED' : 'ERR_NETTS_RESET'
      for (const send of sends) await expect(send).rejects.toEqual(refused(code))
      expect(drain(peer).byteLength).toBeLessThan(5004)
      expectNothingHeld(transport)
    }
  })

  it('is accepted all the same when the connection fails afterwards, as the peer may have it', async () => {
    const { connection, peer } = connectionAndPeer(large)
    let isSettled = false
    const sent = connection.send(pattern(5000)).then(() => {
      isSettled = true
    })
    await settle()
    expect(isSettled).toBe(false)
    connection.destroy()
    await sent
    expectBytes(drain(peer), frame(pattern(5000)))
  })

  it('leaves whole before the end that is said by finish or close, and settles', async () => {
    for (const end of ['finish', 'close'] as const) {
      let budget = 2500
      const accept = (byteLength: number) => {
        const taken = Math.min(byteLength, budget)
        budget -= taken
        return taken
      }
      const { connection, transport, peer } = connectionAndPeer({ ...large, accept })
      const sent = connection.send(pattern(5000))
      const ended = connection[end]()
      await settle()
      expect(transport.state).toBe('open')
      budget = 1 << 20
      transport.wakeUp()
      await settle()
      expect(transport.state).toBe(end === 'finish' ? 'finished' : 'closed')
      expectBytes(drain(peer), frame(pattern(5000)))
      transport.completeOldest()
      await sent
      peer.finish()
      await ended
    }
  })

  it('that is refused midway goes on by the waker', async () => {
    let budget = 2500
    const { connection, transport } = connectionAndPeer({
      maxSendSize: 1024,
      accept: (byteLength) => {
        const taken = Math.min(byteLength, budget)
        budget -= taken
        return taken
      },
    })
    const sent = connection.send(pattern(5000))
    const { length } = Buffer.concat(transport.sent)
    expect(length).toBeGreaterThan(1000)
    expect(length).toBeLessThan(5004 - 1024)
    budget = 1 << 20
    transport.wakeUp()
    await sent
    expectBytes(Buffer.concat(transport.sent), frame(pattern(5000)))
  })
})

describe('flush', () => {
  it('is aborted by its own name while sends before it wait', async () => {
    const blocked = gate(false)
    const { connection, transport } = connectionAndPeer({ maxSendSize: 1024, accept: blocked.accept })
    const sends = [connection.send(pattern(1000)), connection.send(pattern(1000))]
    const controller = new AbortController()
    const flushed = connection.flush({ signal: controller.signal })
    controller.abort()
    await expect(flushed).rejects.toMatchObject({
      code: 'ERR_NETTS_ABORTED',
      name: 'AbortError',
      operation: 'flush',
      message: 'flush was aborted',
    })
    blocked.isOpen = true
    transport.wakeUp()
    await Promise.all(sends)
    await connection.flush()
    connection.destroy()
  })

  it('sends at once, and resolves when the transport reports everything complete', async () => {
    const { connection, transport } = connectionAndPeer({ maxSendSize: 1024, holdCompletions: true })
    for (let n = 0; n < 5; n++) await connection.send(pattern(1000))
    await connection.send(pattern(10))
    let isFlushed = false
    const flushed = connection.flush().then(() => {
      isFlushed = true
    })
    expect(Buffer.concat(transport.sent).byteLength).toBe(5034)
    const sends = transport.sent.length
    await connection.send(Buffer.from('after the flush'))
    transport.completeOldest(sends - 1)
    await settle()
    expect(isFlushed).toBe(false)
    transport.completeOldest(1)
    await flushed
    expect(transport.sendsInFlight).toBe(1)
  })

  it('waits for what was accepted and has not left yet', async () => {
    const blocked = gate(false)
    const { connection, transport } = connectionAndPeer({ accept: blocked.accept })
    await connection.send(pattern(10))
    const order: string[] = []
    const flushed = connection.flush().then(() => order.push('flushed'))
    await settle()
    order.push('opened')
    blocked.isOpen = true
    transport.wakeUp()
    await flushed
    expect(order).toEqual(['opened', 'flushed'])
  })

  it('resolves at once with nothing to wait for, and can be aborted', async () => {
    const { connection } = connectionAndPeer({ holdCompletions: true })
    await connection.flush()
    await connection.send(pattern(10))
    const controller = new AbortController()
    const flushed = connection.flush({ signal: controller.signal })
    controller.abort()
    await expect(flushed).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED', operation: 'flush' })
  })

  it('rejects with what ended the connection', async () => {
    const { connection, peer } = connectionAndPeer({ holdCompletions: true })
    await connection.send(pattern(10))
    const flushed = connection.flush()
    peer.destroy()
    await expect(flushed).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
    await expect(connection.flush()).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
  })

  it('is true after a clean close', async () => {
    const { connection, peer } = connectionAndPeer({ holdCompletions: true })
    await connection.send(pattern(10))
    const flushed = connection.flush()
    peer.finish()
    await connection.close()
    await flushed
    await connection.flush()
  })
})
