/**
 * Random schedules for minutes: `NETTS_RANDOM_MINUTES` (10 unless told) over each of three mocks in turn, beginning
 * with `NETTS_SEED` (by chance unless told).
 */
import { expect, it } from 'vitest'
import { runRandomSchedules } from '../src/index.js'
import { faulty } from './faulty-transport.js'
import { MOCK_CAPABILITIES, type MockSetting, mockFixture } from './mock-fixture.js'

const minutes = Number(process.env.NETTS_RANDOM_MINUTES ?? 10)
const firstSeed = Number(process.env.NETTS_SEED ?? Math.floor(Math.random() * 2 ** 32))

/** Everything that a run depends on follows from its seed. */
const settings: Readonly<Record<string, (seed: number) => MockSetting>> = {
  mock: () => ({}),
  'mock in chaos': (seed) => ({
    network: { seed, faults: { chaos: true } },
    limits: { maxSendSize: 2048, recvWindow: 8192 },
  }),
  'mock in chaos behind a wrapper that injects faults': (seed) => ({
    network: { seed, faults: { chaos: { refuseSend: 0.4, partialAccept: 0.5, splitChunk: 0.5 } } },
    limits: { maxSendSize: 1024, recvWindow: 4096, sendSlots: 4, recvSlots: 64 },
    wrap: faulty(seed),
  }),
}

it.each(Object.entries(settings))(
  `%s passes random schedules for a third of ${minutes} minutes, from seed ${firstSeed}`,
  async (name, setting) => {
    const endMs = performance.now() + (minutes * 60_000) / 3
    let schedules = 0
    for (let seed = firstSeed; schedules === 0 || performance.now() < endMs; seed = (seed + 1) >>> 0) {
      const setup = () => mockFixture(setting(seed))
      schedules += await runRandomSchedules({ name, capabilities: MOCK_CAPABILITIES, setup, seed }, 0)
    }
    console.log(`${name}: ${schedules} random schedules from seed ${firstSeed}`)
    expect(schedules).toBeGreaterThan(0)
  },
)
