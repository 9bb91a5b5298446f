import { randomLife } from '@netts/rdma-suite/random-life'
import { forEachSeed } from '@netts/verbs/simulated'
import { describe, it } from 'vitest'
import { tested } from './tested.js'

const SEEDS = 100

for (const mode of ['roce', 'iwarp'] as const) {
  describe(`connections on simulated ${mode}, over ${SEEDS} schedules each, fair and hostile`, () => {
    it('deliver everything to the byte, and never find a receiver not ready', async () => {
      await forEachSeed({ mode, count: SEEDS }, (fabric) => randomLife(tested, fabric, false))
    })

    it('that something befalls deliver a prefix, and end with an error unless that was all', async () => {
      await forEachSeed({ mode, count: SEEDS, first: 100_001 }, (fabric) => randomLife(tested, fabric, true))
    })
  })
}
