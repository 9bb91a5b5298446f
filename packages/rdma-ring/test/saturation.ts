/** Connections on the loopback device with both directions saturated, between ends of equal and of unequal rings. */
import assert from 'node:assert/strict'
import { LOOPBACK_ADDRESS } from '@netts/loopback'
import { type Saturation, saturate } from '@netts/rdma-suite/saturation'
import { createSimulatedFabric } from '@netts/verbs/simulated'
import { type RingOptions, ring } from '../src/index.js'

const PAIRS: readonly [name: string, client: RingOptions, server: RingOptions][] = [
  ['a page and a page', { capacity: 4096 }, { capacity: 4096 }],
  ['a page and 1 MiB', { capacity: 4096, bufferSize: 70_000 }, { capacity: 2 ** 20, sendDepth: 3 }],
  [
    '8 KiB and 64 KiB, by event',
    { capacity: 8192, polling: 'event' },
    { capacity: 65_536, polling: 'event' },
  ],
  ['the defaults', {}, {}],
]

/** Runs all at once. @returns what either end of each did, by name */
export async function saturatePairs(
  durationMs: number,
  seed: number,
): Promise<Record<string, readonly [Saturation, Saturation]>> {
  const done = await Promise.all(
    PAIRS.map(async ([name, client, server], index) => {
      const { random } = createSimulatedFabric({ mode: 'roce', seed: seed + index })
      const listener = await ring(server).listen({ host: LOOPBACK_ADDRESS, port: 0 })
      const near = await ring(client).connect(listener.address)
      const far = (await listener.accept())!
      const ends = await saturate([near, far], durationMs, (limit) => random.below(limit))
      await listener.close()
      return [name, ends] as const
    }),
  )
  for (const [name, ends] of done) {
    for (const end of ends) {
      const isSaturated = end.refused > 0 && end.stalls > 0 && end.outOfOrder > 0
      assert.ok(isSaturated, `${name} was not put to the test: ${JSON.stringify(end)}`)
    }
  }
  return Object.fromEntries(done)
}
