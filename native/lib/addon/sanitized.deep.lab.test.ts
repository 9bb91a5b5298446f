/** The suites of the addon with AddressSanitizer and UBSan, on every device. */
import { labDevices } from '../../test/lab/devices.js'
import { isSanitized } from '../../test/lab/sanitized.js'
import { sanitizedSuites } from '../../test/lab/sanitized-suites.js'
import { playScenario, STAGES } from '../../test/lab/scenarios.js'
import { workerEnds } from '../../test/lab/worker-ends.js'

if (!isSanitized) {
  sanitizedSuites(labDevices())
} else if (!(await playScenario())) {
  workerEnds(STAGES)
  await import('./device-suite.lab.test.js')
  await import('./connect.lab.test.js')
  await import('./ownership.lab.test.js')
  await import('../../test/endpoint-suite/endpoint-suite.lab.test.js')
  await import('../../examples/rping/rping.lab.test.js')
}
