/** The conformance suite over the addon, on the loopback device. */
import { loopbackIsMissing } from '@netts/loopback'
import { describe, it } from 'vitest'
import { loopbackConformance } from './loopback-conformance.js'

loopbackConformance(
  { describe: (title, body) => void describe.skipIf(loopbackIsMissing())(title, body), it },
  { defaults: {} },
)
