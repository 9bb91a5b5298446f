/**
 * Deadlines about a silent peer. When one passes, the event loop may have stood still, and what the peer said may lie in
 * a queue: so there is a look first, and then the judgement.
 */
import type { Clock, ClockTimer } from '../verbs/verbs.js'

/** A timer that is later than this means that the event loop stood still. */
const STALL_MS = 50

/**
 * Calls back once nothing was heard for so long, unless it was closed before.
 *
 * The look is a turn of the event loop, in which it sees its input, and `look`. For as long as the event loop stood
 * still behind the deadline, nobody answered what had come in: so long the peer gets once more.
 * @param onSilence judges; what came in until then was seen
 * @param look takes what the event loop does not take by itself, and may close the deadline. @default nothing
 */
export function silenceDeadline(
  clock: Clock,
  delayMs: number,
  onSilence: () => void,
  look: () => void = () => {},
): ClockTimer {
  let timer: ClockTimer | undefined
  let closed = false
  const wait = (waitMs: number) => {
    const dueMs = clock.now() + waitMs
    timer = clock.setTimer(() => {
      const lateMs = clock.now() - dueMs
      timer = clock.setImmediate(() => {
        look()
        if (closed) return
        if (lateMs > STALL_MS) wait(Math.min(lateMs, delayMs))
        else onSilence()
      })
    }, waitMs)
  }
  wait(delayMs)
  return {
    close() {
      closed = true
      timer?.close()
    },
  }
}

/**
 * A clock whose timers are {@link silenceDeadline}s: for the deadline of `connect`, in which a peer has to answer several
 * times.
 */
export function patientClock(clock: Clock): Pick<Clock, 'setTimer' | 'setImmediate'> {
  return {
    setTimer: (callback, delayMs) => silenceDeadline(clock, delayMs, callback),
    setImmediate: (callback) => clock.setImmediate(callback),
  }
}
