import { expect, test } from 'vitest'
import { difference, ratio, spread } from './statistics.js'

test('the median of an odd and of an even number of rounds', () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3, values: [3, 1, 2] })
  expect(spread([4, 1, 2, 3]).median).toBe(2.5)
  expect(spread([7]).median).toBe(7)
})

test('ratios are taken within each round, so that a slow round cancels out', () => {
  const fast = spread([100, 10, 100])
  const slow = spread([50, 5, 50])
  expect(ratio(fast, slow)).toEqual({ median: 2, min: 2, max: 2, values: [2, 2, 2] })
  expect(difference(fast, slow).values).toEqual([50, 5, 50])
})
