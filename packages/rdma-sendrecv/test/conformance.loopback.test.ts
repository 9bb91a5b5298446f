/** The conformance suite over the addon, on the loopback device. */
import { loopbackIsMissing } from '@netts/loopback'
import { describe, it } from 'vitest'
import { loopbackConformance } from './loopback-conformance.js'

loopbackConformance(
  { describe: (title, body) => void describe.skipIf(loopbackIsMissing())(title, body), it },
  {
    defaults: {},
    'ends that have little in common': {
      client: { recvDepth: 512, recvDepthInitial: 1, bufferSize: 2048, polling: 'event' },
      server: { recvDepth: 1, polling: 'busy' },
    },
  },
)
