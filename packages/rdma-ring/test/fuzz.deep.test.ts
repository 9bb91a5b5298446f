/** Many strangers: whatever they do, the memory stays flat. */
import { forEachSeed } from '@netts/verbs/simulated'
import { expect, it } from 'vitest'
import { meetStranger } from './stranger.js'

const STRANGERS = 10_000

for (const mode of ['roce', 'iwarp'] as const) {
  it(`${STRANGERS} strangers that do anything on simulated ${mode}, and nothing grows`, async () => {
    await forEachSeed({ mode, count: STRANGERS / 10 }, meetStranger)
    const heapBefore = process.memoryUsage().heapUsed
    await forEachSeed({ mode, count: (STRANGERS / 10) * 9, first: STRANGERS }, meetStranger)
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(64 * 2 ** 20)
  })
}
