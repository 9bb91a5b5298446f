/** The machine's time. */
import { backgroundClock, now } from '@netts/core/driver'
import type { Clock } from '../verbs/verbs.js'

/** {@link Clock} over Node.js's own timers. */
export const systemClock: Clock = { ...backgroundClock, now }
