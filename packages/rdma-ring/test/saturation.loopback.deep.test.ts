/** Ten minutes of both directions saturated, with either end stalling at random, over the addon. */
import { useLoopback } from '@netts/loopback'
import { expect, it } from 'vitest'
import { saturatePairs } from './saturation.js'

const DURATION_MS = 600_000

const isThere = useLoopback()

it.skipIf(!isThere)(
  'ten minutes of both directions saturated stand nowhere still, and every byte is exact',
  async () => {
    const seed = Date.now() % 2 ** 31
    console.log(`seed ${seed}`)
    const done = await saturatePairs(DURATION_MS, seed)
    console.log(JSON.stringify(done, null, 1))
    for (const ends of Object.values(done)) {
      for (const { receivedBytes } of ends) expect(receivedBytes).toBeGreaterThan(2 ** 20)
    }
  },
)
