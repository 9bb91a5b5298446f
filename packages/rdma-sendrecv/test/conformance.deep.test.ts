/** The conformance suite on the simulated device, with the extremes of every option, in pairs, and hostile schedules. */
import { simulatedConformance } from '@netts/rdma-suite/simulated-conformance'
import { describe, it } from 'vitest'
import { tested } from './tested.js'

simulatedConformance(
  tested,
  { describe, it },
  {
    'one receive and one send, fixed, RoCE, event': {
      mode: 'roce',
      client: { recvDepth: 1, sendDepth: 1, polling: 'event' },
      server: { recvDepth: 1, sendDepth: 1, polling: 'event' },
    },
    'one receive, small buffers, iWARP, busy': {
      mode: 'iwarp',
      client: { recvDepth: 1, bufferSize: 1032, polling: 'busy' },
      server: { recvDepth: 1, bufferSize: 1032, polling: 'busy' },
    },
    '512 receives, fixed, RoCE, busy': {
      mode: 'roce',
      client: { recvDepth: 512, recvDepthInitial: 512, bufferSize: 2048, polling: 'busy' },
      server: { recvDepth: 512, recvDepthInitial: 512, bufferSize: 2048, polling: 'busy' },
    },
    '512 receives, elastic from one, iWARP, adaptive': {
      mode: 'iwarp',
      client: { recvDepth: 512, recvDepthInitial: 1, bufferSize: 2048, sendDepth: 3 },
      server: { recvDepth: 512, recvDepthInitial: 1, bufferSize: 2048, sendDepth: 3 },
    },
    'one receive against 512, different buffers, RoCE, adaptive against event': {
      mode: 'roce',
      client: { recvDepth: 1, bufferSize: 1500, sendDepth: 200 },
      server: { recvDepth: 512, bufferSize: 70_000, sendDepth: 1, polling: 'event' },
    },
    'inline, RoCE, hostile schedules': {
      mode: 'roce',
      schedule: 'hostile',
      client: { inlineThreshold: 128, recvDepth: 16 },
      server: { inlineThreshold: 128, recvDepth: 16 },
    },
    'defaults, iWARP, hostile schedules': { mode: 'iwarp', schedule: 'hostile' },
  },
  { bufferedByteLength: 16 * 2 ** 20, schedules: 20, deadlineMs: 20_000, slow: true },
)
