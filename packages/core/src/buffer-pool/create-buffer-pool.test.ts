/** The buffer pool: sizes, exhaustion, waiting, ownership. */
import { describe, expect, it } from 'vitest'
import { NettsError } from '../errors.js'
import { collectGarbage } from '../test-support/collect-garbage.js'
import type { PooledBuffer } from './buffer-pool.js'
import { type BufferPoolOptions, createBufferPool, DEFAULT_SIZE_CLASSES } from './create-buffer-pool.js'

const small = [
  { byteLength: 64, count: 2 },
  { byteLength: 1000, count: 1 },
]

const refused = (code: string) => expect.objectContaining({ code })

describe('createBufferPool', () => {
  it('gives as many bytes as were asked for, in memory of their own', () => {
    const pool = createBufferPool()
    const one = pool.alloc(100)
    const two = pool.alloc(100)
    one.bytes.fill(1)
    two.bytes.fill(2)
    expect(one.byteLength).toBe(100)
    expect(one.bytes).toEqual(new Uint8Array(100).fill(1))
    expect(one.pool).toBe(pool)
    one.release()
    two[Symbol.dispose]()
    expect(pool.stats).toMatchObject({ outstanding: 0, outstandingPeak: 2, allocations: 2 })
  })

  it('maps slabs of whole pages, when first needed, from the source given', () => {
    const asked: number[] = []
    const pool = createBufferPool({
      classes: [
        { byteLength: 1000, count: 10 },
        { byteLength: 100_000, count: 1 },
      ],
      slabByteLength: 4096,
      allocateSlab: (byteLength) => {
        asked.push(byteLength)
        return new Uint8Array(byteLength)
      },
    })
    expect(asked).toEqual([])
    for (let count = 0; count < 4; count++) pool.alloc(1000)
    expect(asked).toEqual([4096])
    pool.alloc(1000)
    expect(asked).toEqual([4096, 4096])
    pool.alloc(100_000)
    expect(asked).toEqual([4096, 4096, 102_400])
    expect(pool.stats.slabBytes).toBe(4096 * 2 + 102_400)
  })

  it('lets a source refuse, and goes on when it gives again', async () => {
    let isOpen = false
    const pool = createBufferPool({
      classes: small,
      allocateSlab: (byteLength) => {
        if (!isOpen) throw new Error('memlock')
        return new Uint8Array(byteLength)
      },
    })
    expect(() => pool.alloc(64)).toThrow('memlock')
    await expect(pool.allocAsync(64)).rejects.toThrow('memlock')
    isOpen = true
    pool.alloc(64).release()
    expect(pool.stats).toMatchObject({ outstanding: 0, allocations: 1 })
  })

  it('takes a source that is exhausted for exhaustion', async () => {
    let slabs = 0
    const pool = createBufferPool({
      classes: small,
      allocateSlab: (byteLength) => {
        if (slabs === 0) throw new NettsError('ERR_NETTS_POOL_EXHAUSTED', 'no more memory')
        slabs--
        return new Uint8Array(byteLength)
      },
    })
    await expect(pool.allocAsync(1)).rejects.toThrow('no more memory')
    slabs = 1
    const held = pool.alloc(1)
    expect(pool.tryAlloc(1000)).toBeUndefined()
    expect(() => pool.alloc(1000)).toThrow('no more memory')
    const other = pool.alloc(1)
    const waiting = pool.allocAsync(1)
    held.release()
    expect((await waiting).bytes.byteLength).toBe(1)
    other.release()
  })

  it('refuses slabs that are too short, or shared between threads', () => {
    const short = createBufferPool({ allocateSlab: () => new Uint8Array(1) })
    expect(() => short.alloc(1)).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
    const shared = createBufferPool({
      allocateSlab: (byteLength) => new Uint8Array(new SharedArrayBuffer(byteLength)),
    })
    expect(() => shared.alloc(1)).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
  })

  it('spills upwards, and then says that it is exhausted', () => {
    const pool = createBufferPool({ classes: small })
    const buffers = [pool.alloc(64), pool.alloc(1), pool.alloc(64)]
    expect(pool.stats).toMatchObject({ spills: 1, outstanding: 3, exhaustions: 0 })
    expect(() => pool.alloc(64)).toThrow(refused('ERR_NETTS_POOL_EXHAUSTED'))
    expect(pool.tryAlloc(64)).toBe(undefined)
    expect(pool.stats.exhaustions).toBe(2)
    buffers[0]!.release()
    expect(pool.tryAlloc(1000)).toBe(undefined)
    expect(pool.alloc(64).byteLength).toBe(64)
  })

  it.each([0, -1, 1.5, Number.NaN, 1001, '1', undefined])('refuses %s bytes', async (byteLength) => {
    const pool = createBufferPool({ classes: small })
    const code = refused('ERR_NETTS_INVALID_ARGUMENT')
    expect(() => pool.alloc(byteLength as number)).toThrow(code)
    expect(() => pool.tryAlloc(byteLength as number)).toThrow(code)
    await expect(pool.allocAsync(byteLength as number)).rejects.toEqual(code)
  })

  it.each<BufferPoolOptions>([
    { classes: [] },
    { classes: [{ byteLength: 0, count: 1 }] },
    { classes: [{ byteLength: 1, count: 0 }] },
    {
      classes: [
        { byteLength: 1, count: 1 },
        { byteLength: 1, count: 2 },
      ],
    },
    { slabByteLength: 4095 },
    { domain: 'x' as never },
    { allocateSlab: 1 as never },
    { freeSlab: 1 as never },
    { detectLeaks: 1 as never },
    null as never,
  ])('refuses the options %j', (options) => {
    expect(() => createBufferPool(options)).toThrow(refused('ERR_NETTS_INVALID_ARGUMENT'))
  })

  it('has room for a header in front of a power of two by default', () => {
    expect(DEFAULT_SIZE_CLASSES.map(({ byteLength }) => byteLength - 64)).toEqual([
      256,
      4096,
      65_536,
      1 << 20,
    ])
  })

  it('refuses use after release, and double release', () => {
    const pool = createBufferPool()
    const buffer = pool.alloc(10)
    buffer.release()
    const successor = pool.alloc(10)
    expect(() => buffer.bytes).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
    expect(() => buffer.release()).toThrow(refused('ERR_NETTS_BUFFER_RELEASED'))
    buffer[Symbol.dispose]()
    expect(buffer.byteLength).toBe(10)
    expect(buffer.pool).toBe(pool)
    // The stale handle did the slot's next user no harm.
    expect(successor.bytes.byteLength).toBe(10)
    expect(pool.stats.outstanding).toBe(1)
  })

  it('makes no new view for a length that the slot had before', () => {
    const pool = createBufferPool({ classes: [{ byteLength: 64, count: 1 }] })
    const first = pool.alloc(10)
    const view = first.bytes
    first.release()
    expect(pool.alloc(10).bytes).toBe(view)
  })

  it('takes 48 bytes of heap or less for an allocation of a length seen before', () => {
    const pool = createBufferPool({ classes: [{ byteLength: 64, count: 100_000 }] })
    const round = () => {
      const buffers = new Array<PooledBuffer>(100_000)
      for (let index = 0; index < buffers.length; index++) {
        buffers[index] = pool.alloc(10)
        buffers[index]!.bytes
      }
      return buffers
    }
    // The median of several: meanwhile something else may grow or shrink, such as optimised code.
    const measured = Array.from({ length: 5 }, () => {
      collectGarbage()
      const before = process.memoryUsage().heapUsed
      const buffers = round()
      collectGarbage()
      const perBuffer = (process.memoryUsage().heapUsed - before) / buffers.length
      for (const buffer of buffers) buffer.release()
      return perBuffer - 8 /* its place in the array */
    })
    expect(measured.sort((a, b) => a - b)[2]).toBeLessThan(56)
  })

  describe('allocAsync', () => {
    it('gives what is free at once, and otherwise waits in order', async () => {
      const pool = createBufferPool({ classes: [{ byteLength: 64, count: 1 }] })
      const first = await pool.allocAsync(1)
      const order: number[] = []
      const waiting = [1, 2, 3].map((n) =>
        pool.allocAsync(n).then((buffer) => {
          order.push(n)
          buffer.release()
        }),
      )
      expect(pool.stats.waiting).toBe(3)
      expect(pool.tryAlloc(1)).toBe(undefined)
      first.release()
      await Promise.all(waiting)
      expect(order).toEqual([1, 2, 3])
      expect(pool.stats).toMatchObject({ waiting: 0, outstanding: 0 })
    })

    it('lets nobody who came later overtake', async () => {
      const pool = createBufferPool({ classes: [{ byteLength: 64, count: 1 }] })
      const first = pool.alloc(1)
      const waiting = pool.allocAsync(1)
      first.release()
      expect(pool.tryAlloc(1)).toBe(undefined)
      expect((await waiting).byteLength).toBe(1)
    })

    it('serves a small waiter from a small buffer while a large one still waits', async () => {
      const pool = createBufferPool({
        classes: [
          { byteLength: 64, count: 1 },
          { byteLength: 1000, count: 1 },
        ],
      })
      const [a, b] = [pool.alloc(1), pool.alloc(1000)]
      const large = pool.allocAsync(500)
      const little = pool.allocAsync(50)
      a.release()
      expect((await little).byteLength).toBe(50)
      expect(pool.stats.waiting).toBe(1)
      b.release()
      expect((await large).byteLength).toBe(500)
    })

    it('can be aborted, before and while waiting', async () => {
      const pool = createBufferPool({ classes: [{ byteLength: 64, count: 1 }] })
      await expect(pool.allocAsync(1, { signal: AbortSignal.abort('early') })).rejects.toMatchObject({
        code: 'ERR_NETTS_ABORTED',
        cause: 'early',
      })
      const only = pool.alloc(1)
      const controller = new AbortController()
      const abandoned = pool.allocAsync(1, { signal: controller.signal })
      const patient = pool.allocAsync(1)
      controller.abort()
      await expect(abandoned).rejects.toMatchObject({ code: 'ERR_NETTS_ABORTED' })
      only.release()
      expect((await patient).byteLength).toBe(1)
    })

    it('rejects a signal that is none', async () => {
      await expect(createBufferPool().allocAsync(1, { signal: {} as never })).rejects.toMatchObject({
        code: 'ERR_NETTS_INVALID_ARGUMENT',
      })
    })
  })

  describe('close', () => {
    it('refuses waiting and later allocations, and gives up the slabs with the last buffer', async () => {
      const freed: Uint8Array[] = []
      const pool = createBufferPool({ classes: small, freeSlab: (slab) => freed.push(slab) })
      const held = [pool.alloc(1), pool.alloc(1), pool.alloc(1000)]
      const waiting = pool.allocAsync(1)
      pool.close()
      pool.close()
      await expect(waiting).rejects.toMatchObject({ code: 'ERR_NETTS_CLOSED' })
      expect(() => pool.alloc(1)).toThrow(refused('ERR_NETTS_CLOSED'))
      await expect(pool.allocAsync(1)).rejects.toMatchObject({ code: 'ERR_NETTS_CLOSED' })
      held[0]!.bytes.fill(1)
      held[0]!.release()
      held[1]!.release()
      expect(freed).toEqual([])
      held[2]!.release()
      expect(freed.length).toBe(2)
      expect(pool.stats).toMatchObject({ outstanding: 0, slabBytes: 0 })
    })

    it('gives up the slabs at once when nothing is out', () => {
      const freed: Uint8Array[] = []
      const pool = createBufferPool({ classes: small, freeSlab: (slab) => freed.push(slab) })
      pool.alloc(1).release()
      pool.close()
      expect(freed.length).toBe(1)
    })
  })
})
