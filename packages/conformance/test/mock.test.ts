/** The suite over the mock, as it comes and in hostile configurations. */
import { describe, it } from 'vitest'
import { transportConformance } from '../src/index.js'
import { faulty } from './faulty-transport.js'
import { MOCK_CAPABILITIES, type MockSetting, mockFixture } from './mock-fixture.js'

const settings: Readonly<Record<string, MockSetting & { readonly bulkByteLength?: number }>> = {
  mock: {},
  'mock with one slot each way': {
    limits: { maxSendSize: 1024, sendSlots: 1, recvSlots: 1, recvWindow: 1024 },
    bulkByteLength: 2 ** 16,
  },
  'mock that delivers crumbs': {
    network: { faults: { client: { maxChunk: 7 }, server: { maxChunk: 13 } } },
    limits: { maxSendSize: 2000, recvWindow: 8000, recvSlots: 16 },
    bulkByteLength: 2 ** 16,
  },
  'mock that takes little at a time': {
    network: { faults: { client: { maxAccept: 100 }, server: { maxAccept: 64 } } },
    limits: { maxSendSize: 1024, recvWindow: 4096 },
    bulkByteLength: 2 ** 16,
  },
  'mock on a long wire': {
    network: { faults: { client: { latencyMs: 3 }, server: { latencyMs: 1 } } },
    limits: { sendSlots: 64 },
    bulkByteLength: 2 ** 18,
  },
  'mock in chaos': {
    network: { faults: { chaos: true }, seed: 1 },
    limits: { maxSendSize: 4096, recvWindow: 16_384 },
    bulkByteLength: 2 ** 18,
  },
  'mock behind a wrapper that injects faults': { wrap: faulty(1), bulkByteLength: 2 ** 18 },
  'mock in chaos behind a wrapper that injects faults': {
    network: { faults: { chaos: { refuseSend: 0.4, partialAccept: 0.5, splitChunk: 0.5, delayTurns: 2 } } },
    limits: { maxSendSize: 1024, recvWindow: 4096, recvSlots: 256 },
    wrap: faulty(2),
    bulkByteLength: 2 ** 16,
  },
}

for (const [name, { bulkByteLength = 2 ** 20, ...setting }] of Object.entries(settings)) {
  transportConformance({
    name,
    capabilities: MOCK_CAPABILITIES,
    setup: () => mockFixture(setting),
    describe,
    it,
    bulkByteLength,
    connections: 60,
    bufferedByteLength: 2 ** 20,
    schedules: 6,
  })
}
