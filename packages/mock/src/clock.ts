/** Where latency and deadlines get their time from. */

/** A source of delays; anything with these two functions of Node.js will do. */
export interface MockClock {
  setTimeout(callback: () => void, delayMs: number): unknown
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
