/** The device suite on the simulated device, over a few schedules. */
import { describe, it } from 'vitest'
import { deviceSuite } from '../../test/device-suite/device-suite.js'
import { onSimulatedDevices } from '../../test/simulated-suite.js'

onSimulatedDevices(deviceSuite, { describe, it, rounds: 8 })
