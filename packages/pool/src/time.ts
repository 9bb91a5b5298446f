/** The time of a pool: timers, a monotonic clock, and the wall clock, which also advances while a machine sleeps. */
import { backgroundClock, type Clock, now } from '@netts/core/driver'

/** The clocks of a pool. Its timers do not keep the process alive. */
export interface PoolTime extends Clock {
  /** Milliseconds since an arbitrary moment; monotonic, and may stand still while the machine sleeps. */
  nowMs(): number
  /** Milliseconds of the wall clock, as `Date.now()`: it may jump. */
  wallMs(): number
}

// Captured, because a test runner's fake clock must not freeze a pool.
const dateNow = Date.now

/** The clocks of this machine. */
export const machineTime: PoolTime = {
  setTimer: backgroundClock.setTimer,
  setImmediate: backgroundClock.setImmediate,
  nowMs: now,
  wallMs: () => dateNow(),
}
