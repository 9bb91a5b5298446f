/** The suites of the addon with AddressSanitizer and UBSan, on every device. */
import { labDevices } from '../lab/devices.js'
import { isSanitized } from '../lab/sanitized.js'
import { sanitizedSuites } from '../lab/sanitized-suites.js'
import { playScenario, STAGES } from '../lab/scenarios.js'
import { workerEnds } from '../lab/worker-ends.js'

if (!isSanitized) {
  sanitizedSuites(labDevices())
} else if (!(await playScenario())) {
  workerEnds(STAGES)
  await import('./device-suite.lab.test.js')
  await import('./connect.lab.test.js')
  await import('./ownership.lab.test.js')
  await import('../endpoint-suite/endpoint-suite.lab.test.js')
  await import('../../examples/rping/rping.lab.test.js')
}
