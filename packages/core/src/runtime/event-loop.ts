/**
 * The event loop as netts uses it: ticks, turns, timers and the time, captured once.
 *
 * Captured when this module loads, and from Node.js instead of the global object: a test runner's fake timers must not
 * freeze a connection, and environments such as jsdom have timers of another kind. `process` comes from the realm of
 * Node.js, since jest gives each test file a process object of its own, with a fake `nextTick` if it is told so.
 */
import { performance } from 'node:perf_hooks'
import {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
} from 'node:timers'
import { runInThisContext } from 'node:vm'

const performanceNow = performance.now

/** `process.nextTick`. */
export const { nextTick } = runInThisContext('process') as NodeJS.Process

/** Milliseconds since an arbitrary moment; monotonic. */
export function now(): number {
  return performanceNow.call(performance)
}

/** A timer, or an action of the next turn, that can be cancelled. */
export interface ClockTimer {
  /** Cancels it. Idempotent, also after it fired. */
  close(): void
}

/** Where deadlines get their time from. Simulations and mocks have a time of their own. */
export interface Clock {
  /** Calls back once after so many milliseconds. */
  setTimer(callback: () => void, delayMs: number): ClockTimer
  /** Calls back in the event loop's next turn, after input was looked for. */
  setImmediate(callback: () => void): ClockTimer
}

class LoopTimer implements ClockTimer {
  readonly #timer: NodeJS.Timeout

  constructor(timer: NodeJS.Timeout) {
    this.#timer = timer
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}

class LoopImmediate implements ClockTimer {
  readonly #immediate: NodeJS.Immediate

  constructor(immediate: NodeJS.Immediate) {
    this.#immediate = immediate
  }

  close(): void {
    clearImmediate(this.#immediate)
  }
}

const onNextTurn = (callback: () => void): ClockTimer => new LoopImmediate(setImmediate(callback))

/** This machine's time. A timer that was set keeps the process alive until it fires or is closed. */
export const clock: Clock = {
  setTimer: (callback, delayMs) => new LoopTimer(setTimeout(callback, delayMs)),
  setImmediate: onNextTurn,
}

/** This machine's time, for what may not keep the process alive. */
export const backgroundClock: Clock = {
  setTimer: (callback, delayMs) => new LoopTimer(setTimeout(callback, delayMs).unref()),
  setImmediate: onNextTurn,
}

/**
 * Calls back once the event loop has looked for input: before that, a deadline can't tell a silent peer from a program
 * that was busy. Two turns, as a driver may need one to hand over what the first one found.
 */
export function afterPendingInput(clock: Clock, callback: () => void): ClockTimer {
  let pending = clock.setImmediate(() => {
    pending = clock.setImmediate(callback)
  })
  return { close: () => pending.close() }
}

/** Longer than any program waits for one tick of it: setInterval's maximum, 2^31 - 1 ms. */
const FOREVER_MS = 0x7fffffff

/** Keeps the process alive while it is held: for what has no handle of its own in the event loop. */
export class KeepAlive {
  #holders = 0
  #timer: NodeJS.Timeout | undefined

  /** Keeps the process alive until {@link release} was called as often. */
  hold(): void {
    if (this.#holders++ === 0) this.#timer = setInterval(() => {}, FOREVER_MS)
  }

  /** Once for each {@link hold}. */
  release(): void {
    if (--this.#holders === 0) clearInterval(this.#timer)
  }
}
