/** The device suite on the simulated device, over a few schedules. */
import { describe, it } from 'vitest'
import { simulatedSuite } from './simulated-suite.js'

simulatedSuite({ describe, it, rounds: 12 })
