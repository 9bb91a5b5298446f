/** The clocks of latencies and deadlines. */
import { setTimeout as machineSetTimeout } from 'node:timers'
import { type Clock, clock as machineClock } from '@netts/core/driver'

/** A clock for {@link MockNetworkOptions.clock}: any object with these two functions. */
export interface MockClock {
  /** Calls back once, after `delayMs` milliseconds. Returns a handle for {@link clearTimeout}. */
  setTimeout(callback: () => void, delayMs: number): unknown
  /** Cancels a timer of {@link setTimeout}. */
  clearTimeout(timer: unknown): void
}

/** A clock whose time passes only by {@link advance}. */
export interface VirtualClock extends MockClock {
  /** How much time has passed since the clock was made, in milliseconds. */
  readonly nowMs: number
  /** Lets `ms` milliseconds pass: calls back the timers that become due, in order, before it returns. */
  advance(ms: number): void
}

/** The global timers, looked up at each use, so that a test runner's fake timers control them. */
export const globalClock: MockClock = {
  setTimeout(callback, delayMs) {
    return globalThis.setTimeout(callback, delayMs)
  },
  clearTimeout(timer) {
    globalThis.clearTimeout(timer as NodeJS.Timeout | undefined)
  },
}

/**
 * Makes a {@link Clock} for the deadlines of `@netts/core` of a mock's clock.
 *
 * A deadline waits for a turn of the event loop before it fires. Virtual time passes between two turns, so with it the
 * deadline fires at once: everything that is due within one `advance` happens in it.
 */
export function clockOf(time: MockClock): Clock {
  /** The actions that wait for a turn while a timer of virtual time runs. */
  let due: Set<() => void> | undefined
  const jump = (callback: () => void) => {
    due = new Set([callback])
    try {
      // Actions that are added meanwhile come last.
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

/** Makes a clock for `createMockNetwork({ clock })` whose time passes only by its `advance(ms)`. It begins at 0. */
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
