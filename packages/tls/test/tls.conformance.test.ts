/** The suite that every driver passes, under TLS in which both ends verify each other, over each kind of wire. */
import { type ConformanceFixture, type ConformanceOptions, transportConformance } from '@netts/conformance'
import { describe, it } from 'vitest'
import { mockWire, mutualTls, simulatedWire, tcpWire } from './wires.js'

const options = mutualTls()

const wires: Readonly<Record<string, [() => ConformanceFixture, Partial<ConformanceOptions>?]>> = {
  mock: [() => mockWire(options)],
  'a mock with the smallest window': [
    () => mockWire(options, {}, { maxSendSize: 1024, sendSlots: 1, recvSlots: 1, recvWindow: 1024 }),
    { bulkByteLength: 2 ** 17 },
  ],
  'a mock in chaos': [
    () =>
      mockWire(options, {
        faults: { chaos: { refuseSend: 0.2, partialAccept: 0.3, splitChunk: 0.3 } },
      }),
    { bulkByteLength: 2 ** 17 },
  ],
  tcp: [() => tcpWire(options)],
  'rdma-sendrecv on simulated RoCE': [() => simulatedWire(options)],
}

for (const [name, [setup, more]] of Object.entries(wires)) {
  transportConformance({
    name: `tls over ${name}`,
    capabilities: { detectsPeerCrash: true, reset: true },
    // The wire below knows what has arrived; TLS does not.
    completionIsArrival: false,
    setup,
    describe,
    it,
    bulkByteLength: 2 ** 20,
    connections: 40,
    schedules: 6,
    ...more,
  })
}
