/** The conformance suite on the simulated device. */
import { simulatedConformance } from '@netts/rdma-suite/simulated-conformance'
import { describe, it } from 'vitest'
import { tested } from './tested.js'

simulatedConformance(
  tested,
  { describe, it },
  {
    RoCE: { mode: 'roce' },
    iWARP: { mode: 'iwarp' },
    'RoCE, with ends that have little in common': {
      mode: 'roce',
      client: { recvDepth: 512, recvDepthInitial: 1, bufferSize: 2048 },
      server: { recvDepth: 1, polling: 'busy' },
    },
  },
)
