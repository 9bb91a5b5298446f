/** The clock for the deadline of `connect`, within which a peer has to answer several times. */
import { StallDeadline } from '@netts/core/driver'
import type { Clock } from '../verbs/verbs.js'

/**
 * A clock whose timers do not count the time in which this program was busy, because its peer could not be heard then:
 * see {@link StallDeadline}. They may be late by a quarter. `setImmediate` is that of `clock`.
 */
export function patientClock(clock: Clock): Pick<Clock, 'setTimer' | 'setImmediate'> {
  return {
    setTimer(callback, delayMs) {
      const deadline = new StallDeadline({
        clock,
        timeoutMs: delayMs,
        progress: () => 0,
        onStalled: callback,
      })
      deadline.start()
      return { close: () => deadline.stop() }
    },
    setImmediate: (callback) => clock.setImmediate(callback),
  }
}
