/** The conformance suite on the simulated device. */
import { simulatedConformance } from '@netts/rdma-suite/simulated-conformance'
import { describe, it } from 'vitest'
import { tested } from './tested.js'

simulatedConformance(
  tested,
  { describe, it },
  {
    'RoCE, with rings of a page': { mode: 'roce', client: { capacity: 4096 }, server: { capacity: 4096 } },
    'iWARP, with ends that have little in common': {
      mode: 'iwarp',
      client: { capacity: 8192, sendDepth: 1, bufferSize: 1040 },
      server: { capacity: 65_536, sendDepth: 300, polling: 'busy' },
    },
  },
)
