/**
 * The suite that every driver passes, under TLS in which both ends verify each other; further wires are in
 * `loopback.conformance.test.ts` and `tls.deep.test.ts`.
 */
import { tlsConformance } from './tls-conformance.js'
import { mockWire, mutualTls, tcpWire } from './wires.js'

const options = mutualTls()

tlsConformance({
  'a mock in chaos': [
    () =>
      mockWire(options, {
        faults: { chaos: { refuseSend: 0.2, partialAccept: 0.3, splitChunk: 0.3 } },
      }),
    { bulkByteLength: 2 ** 17 },
  ],
  tcp: [() => tcpWire(options)],
})
