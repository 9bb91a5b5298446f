/** The conformance suite on the simulated device. */
import { transportConformance } from '@netts/conformance'
import { type SimulatedSetting, simulatedFixture } from '@netts/rdma-suite/simulated-fixture'
import { describe, it } from 'vitest'
import type { RingOptions } from '../src/index.js'
import { tested } from './tested.js'

const settings: Readonly<Record<string, SimulatedSetting<RingOptions>>> = {
  'RoCE, with rings of a page': { mode: 'roce', client: { capacity: 4096 }, server: { capacity: 4096 } },
  'iWARP, with ends that have little in common': {
    mode: 'iwarp',
    client: { capacity: 8192, sendDepth: 1, bufferSize: 1040 },
    server: { capacity: 65_536, sendDepth: 300, polling: 'busy' },
  },
}

for (const [name, setting] of Object.entries(settings)) {
  transportConformance({
    name: `rdma-ring on simulated ${name}`,
    capabilities: { detectsPeerCrash: true, reset: true },
    creditBased: true,
    setup: () => simulatedFixture(tested, setting),
    describe,
    it,
    bulkByteLength: 2 ** 18,
    connections: 50,
    bufferedByteLength: 2 ** 21,
    schedules: 10,
    deadlineMs: 8000,
  })
}
