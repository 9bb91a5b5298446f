/** The device suite with AddressSanitizer and UBSan, on Soft-RoCE; `sanitized.deep.lab.test.ts` runs much more. */
import { labDevices } from '../../test/lab/devices.js'
import { isSanitized } from '../../test/lab/sanitized.js'
import { sanitizedSuites } from '../../test/lab/sanitized-suites.js'

if (isSanitized) await import('./device-suite.lab.test.js')
else sanitizedSuites(labDevices().filter(({ type }) => type !== 'siw'))
