/** The conformance suite over the addon, on the loopback device, with every pair of windows and ways to wait. */
import { loopbackIsMissing } from '@netts/loopback'
import { describe, it } from 'vitest'
import { settingsWithClient } from './lab-depths.js'
import { loopbackConformance } from './loopback-conformance.js'

loopbackConformance(
  { describe: (title, body) => void describe.skipIf(loopbackIsMissing())(title, body), it },
  {
    ...settingsWithClient('one'),
    ...settingsWithClient('512 fixed'),
    ...settingsWithClient('512 elastic'),
  },
)
