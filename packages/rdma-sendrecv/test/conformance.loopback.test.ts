/** The conformance suite over the addon, on the loopback device. */
import { loopbackIsMissing, loopbackTitle } from '@netts/loopback'
import { loopbackConformance } from '@netts/rdma-suite/loopback-conformance'
import { describe, it } from 'vitest'
import { tested } from './tested.js'

loopbackConformance(
  tested,
  { describe: (title, body) => void describe.skipIf(loopbackIsMissing())(loopbackTitle(title), body), it },
  { defaults: {} },
)
