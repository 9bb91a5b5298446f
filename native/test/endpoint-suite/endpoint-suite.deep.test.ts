/** The endpoint suite on the simulated device, over many schedules. */
import { describe, it } from 'vitest'
import { onSimulatedDevices } from '../simulated-suite.js'
import { endpointSuite } from './endpoint-suite.js'

onSimulatedDevices(endpointSuite, { describe, it, rounds: 150 })
