/** The time of a pool: timers, a monotonic clock, and the clock on the wall, which also counts while a machine sleeps. */
import { backgroundClock, type Clock, now } from '@netts/core/driver'

/** Where a pool gets its time from. Its timers don't keep the process alive. */
export interface PoolTime extends Clock {
  /** Milliseconds since an arbitrary moment; monotonic, and may stand still while the machine sleeps. */
  nowMs(): number
  /** Milliseconds of the clock on the wall: it may jump. */
  wallMs(): number
}

// Captured: a test runner's fake clock must not freeze a pool.
const dateNow = Date.now

/** This machine's time. */
export const machineTime: PoolTime = {
  setTimer: backgroundClock.setTimer,
  setImmediate: backgroundClock.setImmediate,
  nowMs: now,
  wallMs: () => dateNow(),
}
