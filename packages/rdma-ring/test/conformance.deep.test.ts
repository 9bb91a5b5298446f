/** The conformance suite on the simulated device, with the extremes of every option, in pairs, and hostile schedules. */
import { simulatedConformance } from '@netts/rdma-suite/simulated-conformance'
import { describe, it } from 'vitest'
import { tested } from './tested.js'

simulatedConformance(
  tested,
  { describe, it },
  {
    'defaults, RoCE': { mode: 'roce' },
    'defaults, iWARP': { mode: 'iwarp' },
    'a page and one send, RoCE, event': {
      mode: 'roce',
      client: { capacity: 4096, sendDepth: 1, polling: 'event' },
      server: { capacity: 4096, sendDepth: 1, polling: 'event' },
    },
    'a page, small buffers, iWARP, busy': {
      mode: 'iwarp',
      client: { capacity: 4096, bufferSize: 1040, polling: 'busy' },
      server: { capacity: 4096, bufferSize: 1040, polling: 'busy' },
    },
    '4 MiB, large sends, RoCE, busy against adaptive': {
      mode: 'roce',
      client: { capacity: 2 ** 22, bufferSize: 2 ** 20, sendDepth: 8, polling: 'busy' },
      server: { capacity: 2 ** 22, bufferSize: 2 ** 20, sendDepth: 8 },
    },
    'a page against 1 MiB, iWARP, adaptive against event': {
      mode: 'iwarp',
      client: { capacity: 4096, bufferSize: 70_000, sendDepth: 200 },
      server: { capacity: 2 ** 20, bufferSize: 1500, sendDepth: 3, polling: 'event' },
    },
    'inline, RoCE, hostile schedules': {
      mode: 'roce',
      schedule: 'hostile',
      client: { inlineThreshold: 128, capacity: 8192 },
      server: { inlineThreshold: 128, capacity: 8192 },
    },
    'defaults, iWARP, hostile schedules': { mode: 'iwarp', schedule: 'hostile' },
  },
  { bufferedByteLength: 16 * 2 ** 20, schedules: 20, deadlineMs: 20_000, slow: true },
)
