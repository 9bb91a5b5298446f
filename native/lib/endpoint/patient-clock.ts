/** The deadline of `connect`, in which a peer has to answer several times. */
import { StallDeadline } from '@netts/core/driver'
import type { Clock } from '../verbs/verbs.js'

/**
 * A clock whose timers do not hold against the peer the time in which this program was busy: see {@link StallDeadline}.
 * They may be late by a quarter.
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
