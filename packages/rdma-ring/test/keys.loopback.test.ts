/** Who may write a ring, over the addon on the loopback device. */
import { LOOPBACK_ADDRESS, useLoopback } from '@netts/loopback'
import { openVerbs } from '@netts/verbs'
import { describe, it } from 'vitest'
import { othersKey, staleKey } from './keys.js'

const isThere = useLoopback()

describe.skipIf(!isThere)('the key of a ring on the loopback device', () => {
  const bench = () => ({ client: openVerbs(), server: openVerbs(), host: LOOPBACK_ADDRESS })
  for (const memoryWindow of ['auto', 'never'] as const) {
    it(`is of use on another queue pair only without a window (${memoryWindow})`, async () => {
      await othersKey(bench(), memoryWindow)
    })
    it(`is void once the connection is closed (${memoryWindow})`, async () => {
      await staleKey(bench(), memoryWindow)
    })
  }
})
