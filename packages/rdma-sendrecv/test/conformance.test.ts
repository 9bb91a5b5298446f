/** The conformance suite on the simulated device. */
import { transportConformance } from '@netts/conformance'
import { type SimulatedSetting, simulatedFixture } from '@netts/rdma-suite/simulated-fixture'
import { describe, it } from 'vitest'
import type { SendRecvOptions } from '../src/index.js'
import { tested } from './tested.js'

const settings: Readonly<Record<string, SimulatedSetting<SendRecvOptions>>> = {
  RoCE: { mode: 'roce' },
  iWARP: { mode: 'iwarp' },
  'RoCE, with ends that have little in common': {
    mode: 'roce',
    client: { recvDepth: 512, recvDepthInitial: 1, bufferSize: 2048 },
    server: { recvDepth: 1, polling: 'busy' },
  },
}

for (const [name, setting] of Object.entries(settings)) {
  transportConformance({
    name: `rdma-sendrecv on simulated ${name}`,
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
