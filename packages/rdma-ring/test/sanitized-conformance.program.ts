/** The conformance suite on the loopback device, under node:test: for a process with sanitizers. */
import { describe, it } from 'node:test'
import { loopbackConformance } from '@netts/rdma-suite/loopback-conformance'
import { tested } from './tested.js'

loopbackConformance(
  tested,
  { describe, it: (title, body) => void it(title, { timeout: 60_000 }, body) },
  { defaults: {} },
  { build: 'sanitized' },
  { bulkByteLength: 2 ** 18, connections: 8, schedules: 2, deadlineMs: 20_000 },
)
