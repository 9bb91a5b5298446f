/** The buffer pool against a model, over random sequences of operations. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PooledBuffer } from './buffer-pool.js'
import { takeSlot } from './buffer-slot.js'
import { createBufferPool } from './create-buffer-pool.js'

const CLASSES = [
  { byteLength: 100, count: 3 },
  { byteLength: 1000, count: 2 },
  { byteLength: 5000, count: 1 },
]

/** What must be true: how many buffers of each class are free, and who waits. */
class Model {
  readonly free = CLASSES.map(({ count }) => count)
  readonly waiting: number[] = []
  spills = 0
  exhaustions = 0

  take(byteLength: number): number | undefined {
    const smallest = CLASSES.findIndex((sizeClass) => sizeClass.byteLength >= byteLength)
    for (let index = smallest; index < CLASSES.length; index++) {
      if (this.free[index] === 0) continue
      this.free[index]!--
      if (index > smallest) this.spills++
      return index
    }
    return undefined
  }
}

interface Held {
  readonly buffer: PooledBuffer
  readonly sizeClass: number
  readonly fill: number
}

const operation = fc.oneof(
  fc.record({ kind: fc.constant('alloc' as const), byteLength: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ kind: fc.constant('wait' as const), byteLength: fc.integer({ min: 1, max: 5000 }) }),
  fc.record({ kind: fc.constant('release' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('takeSlot' as const), which: fc.nat() }),
)

describe('a buffer pool', () => {
  it('behaves like its model, and no two buffers overlap', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 120 }), async (operations) => {
        const pool = createBufferPool({ classes: CLASSES, slabByteLength: 4096 })
        const model = new Model()
        const held: Held[] = []
        const served: PooledBuffer[] = []
        let fill = 0
        const hold = (buffer: PooledBuffer, sizeClass: number) => {
          fill = (fill + 1) % 256
          buffer.bytes.fill(fill)
          held.push({ buffer, sizeClass, fill })
        }
        for (const step of operations) {
          if (step.kind === 'alloc') {
            const expected = model.take(step.byteLength)
            const buffer = pool.tryAlloc(step.byteLength)
            expect(buffer?.byteLength).toBe(expected === undefined ? undefined : step.byteLength)
            if (buffer) hold(buffer, expected!)
            else model.exhaustions++
          } else if (step.kind === 'wait') {
            const expected = model.take(step.byteLength)
            const buffer = pool.allocAsync(step.byteLength)
            if (expected === undefined) {
              model.waiting.push(step.byteLength)
              buffer.then((value) => served.push(value)).catch(() => {})
            } else {
              hold(await buffer, expected)
            }
          } else if (held.length > 0) {
            const [{ buffer, sizeClass, fill: value }] = held.splice(step.which % held.length, 1) as [Held]
            expect(buffer.bytes.every((byte) => byte === value)).toBe(true)
            if (step.kind === 'release') buffer.release()
            else takeSlot(buffer).free()
            expect(() => buffer.bytes).toThrow()
            // It goes to the first waiter whom it fits.
            const index = model.waiting.findIndex((bytes) => bytes <= CLASSES[sizeClass]!.byteLength)
            if (index === -1) {
              model.free[sizeClass]!++
            } else {
              const [byteLength] = model.waiting.splice(index, 1) as [number]
              if (CLASSES.findIndex((one) => one.byteLength >= byteLength) !== sizeClass) model.spills++
              await new Promise((resolve) => setImmediate(resolve))
              expect(served.length).toBe(1)
              const [given] = served.splice(0) as [PooledBuffer]
              expect(given.byteLength).toBe(byteLength)
              hold(given, sizeClass)
            }
          }
          expect(pool.stats).toMatchObject({
            outstanding: held.length,
            waiting: model.waiting.length,
            spills: model.spills,
            exhaustions: model.exhaustions,
          })
        }
        pool.close()
        for (const { buffer } of held) buffer.release()
        expect(pool.stats.outstanding).toBe(0)
      }),
      { numRuns: 150 },
    )
  })
})
