/** The suite over the mock, as it comes and in hostile configurations; the others are in `mock.deep.test.ts`. */
import { faulty } from './faulty-transport.js'
import { mockConformance } from './mock-conformance.js'

mockConformance({
  mock: {},
  'mock that delivers crumbs': {
    network: { faults: { client: { maxChunk: 7 }, server: { maxChunk: 13 } } },
    limits: { maxSendSize: 2000, recvWindow: 8000, recvSlots: 16 },
    bulkByteLength: 2 ** 16,
  },
  'mock on a long wire': {
    network: { faults: { client: { latencyMs: 3 }, server: { latencyMs: 1 } } },
    limits: { sendSlots: 64 },
    bulkByteLength: 2 ** 18,
  },
  'mock in chaos behind a wrapper that injects faults': {
    network: { faults: { chaos: { refuseSend: 0.4, partialAccept: 0.5, splitChunk: 0.5, delayTurns: 2 } } },
    limits: { maxSendSize: 1024, recvWindow: 4096, recvSlots: 256 },
    wrap: faulty(2),
    bulkByteLength: 2 ** 16,
  },
})
