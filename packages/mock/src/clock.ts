/** Where latency and deadlines get their time from. */
import { setTimeout as machineSetTimeout } from 'node:timers'
import { type Clock, clock as machineClock } from '@netts/core/driver'

/** A source of delays; anything with these two functions of Node.js will do. */
export interface MockClock {
  /** Calls back once after `delayMs`, as the global `setTimeout`. */
  setTimeout(callback: () => void, delayMs: number): unknown
  /** Cancels a timer of {@link setTimeout}. */
  clearTimeout(timer: unknown): void
}

/** A clock that stands still until it is told how much time passed. */
export interface VirtualClock extends MockClock {
  /** How much time has passed, in milliseconds. */
  readonly nowMs: number
  /** Lets time pass: runs what became due, in order. */
  advance(ms: number): void
}

/**
 * The global timers, looked up with each use, so that a test runner's fake timers rule them.
 */
export const globalClock: MockClock = {
  setTimeout(callback, delayMs) {
    return globalThis.setTimeout(callback, delayMs)
  },
  clearTimeout(timer) {
    globalThis.clearTimeout(timer as NodeJS.Timeout | undefined)
  },
}

/**
 * A mock's clock as core's deadlines use it.
 *
 * A deadline gives input a turn of the event loop before it judges. Made-up time passes between two turns, so there it
 * judges at once: what is due within one `advance` all happens in it.
 */
export function clockOf(time: MockClock): Clock {
  /** What waits for a turn while a timer of made-up time runs. */
  let due: Set<() => void> | undefined
  const jump = (callback: () => void) => {
    due = new Set([callback])
    try {
      // Those that are added on the way come last.
      for (const action of due) {
        due.delete(action)
        action()
      }
    } finally {
      due = undefined
    }
  }
  return {
    setTimer(callback, delayMs) {
      const isMachines = time === globalClock && globalThis.setTimeout === machineSetTimeout
      const timer = time.setTimeout(isMachines ? callback : () => jump(callback), delayMs)
      return { close: () => time.clearTimeout(timer) }
    },
    setImmediate(callback) {
      const actions = due?.add(callback)
      return actions ? { close: () => actions.delete(callback) } : machineClock.setImmediate(callback)
    },
  }
}

/** Makes a clock for `createMockNetwork({ clock })` that moves only when told to. */
export function createVirtualClock(): VirtualClock {
  let nowMs = 0
  const timers = new Set<{ callback: () => void; dueMs: number }>()
  return {
    get nowMs() {
      return nowMs
    },
    setTimeout(callback, delayMs) {
      const timer = { callback, dueMs: nowMs + delayMs }
      timers.add(timer)
      return timer
    },
    clearTimeout(timer) {
      timers.delete(timer as { callback: () => void; dueMs: number })
    },
    advance(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        let next: { callback: () => void; dueMs: number } | undefined
        for (const timer of timers) if (!next || timer.dueMs < next.dueMs) next = timer
        if (!next || next.dueMs > untilMs) break
        timers.delete(next)
        nowMs = next.dueMs
        next.callback()
      }
      nowMs = untilMs
    },
  }
}
