import { expect, it } from 'vitest'
import { Histogram } from './histogram.js'

it('counts each time in the bucket of the next bound, and what is beyond all of them in the last one', () => {
  const waits = new Histogram()
  waits.addNone()
  for (const timeMs of [0.5, 1, 1.1, 2, 3, 16_384, 16_385, 1e9]) waits.add(timeMs)
  const { boundsMs, counts, count, sumMs, maxMs } = waits.snapshot()
  expect(counts).toHaveLength(boundsMs.length + 1)
  const atMost = (boundMs: number) => counts[boundsMs.indexOf(boundMs)]
  expect([atMost(0), atMost(1), atMost(2), atMost(4), atMost(16_384)]).toEqual([1, 2, 2, 1, 1])
  expect(counts.at(-1)).toBe(2)
  expect(count).toBe(9)
  expect(maxMs).toBe(1e9)
  expect(sumMs).toBeCloseTo(0.5 + 1 + 1.1 + 2 + 3 + 16_384 + 16_385 + 1e9)
})
