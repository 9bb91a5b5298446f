/** Two seconds of what `saturation.loopback.deep.test.ts` does for ten minutes. */
import { useLoopback } from '@netts/loopback'
import { expect, it } from 'vitest'
import { saturatePairs } from './saturation.js'

const isThere = useLoopback()

it.skipIf(!isThere)(
  'both directions saturated under random stalls go on, and every byte is exact',
  async () => {
    for (const ends of Object.values(await saturatePairs(2000, 1))) {
      for (const { receivedBytes } of ends) expect(receivedBytes).toBeGreaterThan(4 * 4096)
    }
  },
)
