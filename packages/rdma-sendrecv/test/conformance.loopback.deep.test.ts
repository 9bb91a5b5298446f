/** The conformance suite over the addon, on the loopback device, with every pair of windows and ways to wait. */
import { loopbackIsMissing, loopbackTitle } from '@netts/loopback'
import { loopbackConformance } from '@netts/rdma-suite/loopback-conformance'
import { settingsWithClient } from '@netts/rdma-suite/paired-settings'
import { describe, it } from 'vitest'
import { DEPTHS, tested } from './tested.js'

loopbackConformance(
  tested,
  { describe: (title, body) => void describe.skipIf(loopbackIsMissing())(loopbackTitle(title), body), it },
  {
    ...settingsWithClient(DEPTHS, 'one'),
    ...settingsWithClient(DEPTHS, '512 fixed'),
    ...settingsWithClient(DEPTHS, '512 elastic'),
  },
)
