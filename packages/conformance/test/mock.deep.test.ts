/** The suite over the mock, in further hostile configurations. */
import { faulty } from './faulty-transport.js'
import { mockConformance } from './mock-conformance.js'

mockConformance({
  'mock with one slot each way': {
    limits: { maxSendSize: 1024, sendSlots: 1, recvSlots: 1, recvWindow: 1024 },
    bulkByteLength: 2 ** 16,
  },
  'mock that takes little at a time': {
    network: { faults: { client: { maxAccept: 100 }, server: { maxAccept: 64 } } },
    limits: { maxSendSize: 1024, recvWindow: 4096 },
    bulkByteLength: 2 ** 16,
  },
  'mock in chaos': {
    network: { faults: { chaos: true }, seed: 1 },
    limits: { maxSendSize: 4096, recvWindow: 16_384 },
    bulkByteLength: 2 ** 18,
  },
  'mock behind a wrapper that injects faults': { wrap: faulty(1), bulkByteLength: 2 ** 18 },
})
