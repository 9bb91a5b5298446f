/** The machine's time. */
import { clearImmediate, clearTimeout, now, setImmediate, setTimeout } from '../verbs/real-time.js'
import type { Clock } from '../verbs/verbs.js'

/** {@link Clock} over Node.js's own timers. */
export const systemClock: Clock = {
  now,
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs).unref()
    return { close: () => clearTimeout(timer) }
  },
  setImmediate(callback) {
    const immediate = setImmediate(callback)
    return { close: () => clearImmediate(immediate) }
  },
}
