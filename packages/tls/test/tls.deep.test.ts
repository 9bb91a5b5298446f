/** The suite that every driver passes, under TLS in which both ends verify each other, over further wires. */
import { ringOver } from '@netts/rdma-ring'
import { sendRecvOver } from '@netts/rdma-sendrecv'
import { tlsConformance } from './tls-conformance.js'
import { mockWire, mutualTls, simulatedWire } from './wires.js'

const options = mutualTls()

tlsConformance({
  mock: [() => mockWire(options)],
  'a mock with the smallest window': [
    () => mockWire(options, {}, { maxSendSize: 1024, sendSlots: 1, recvSlots: 1, recvWindow: 1024 }),
    { bulkByteLength: 2 ** 17 },
  ],
  'rdma-sendrecv on simulated RoCE': [() => simulatedWire(options, sendRecvOver, 'roce')],
  'rdma-ring on simulated iWARP': [() => simulatedWire(options, ringOver, 'iwarp')],
  'rdma-ring on simulated RoCE, of a page': [
    () => simulatedWire(options, ({ verbs }) => ringOver({ verbs, capacity: 4096 }), 'roce'),
    { bulkByteLength: 2 ** 17 },
  ],
})
