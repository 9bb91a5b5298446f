/**
 * The event loop as netts uses it: ticks, turns, timers and the time.
 *
 * The functions are captured when this module loads, from Node.js instead of the global object: a test runner's fake timers
 * must not freeze a connection, and environments such as jsdom have other timers. `process` comes from the realm of Node.js,
 * because jest gives each test file its own process object, which may have a fake `nextTick`.
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

export const {
  /** `process.nextTick` of Node.js, also under fake timers. */
  nextTick,
} = runInThisContext('process') as NodeJS.Process

/** Milliseconds since an arbitrary moment, monotonic: `performance.now` of Node.js, also under fake timers. */
export function now(): number {
  return performanceNow.call(performance)
}

/** A timer or immediate of a {@link Clock}. */
export interface ClockTimer {
  /** Cancels it. Idempotent, also after it fired. */
  close(): void
}

/** The clock of deadlines. Simulations and mocks have clocks of their own. */
export interface Clock {
  /** Calls back once, after `delayMs` milliseconds. */
  setTimer(callback: () => void, delayMs: number): ClockTimer
  /** Calls back once, in the next turn of the event loop, after it has looked for input. */
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

/** The real clock. Its timers keep the process alive until they fire or are closed. */
export const clock: Clock = {
  setTimer: (callback, delayMs) => new LoopTimer(setTimeout(callback, delayMs)),
  setImmediate: onNextTurn,
}

/** The real clock, with timers that do not keep the process alive. */
export const backgroundClock: Clock = {
  setTimer: (callback, delayMs) => new LoopTimer(setTimeout(callback, delayMs).unref()),
  setImmediate: onNextTurn,
}

/**
 * Calls back after the event loop has looked for input. A deadline calls this when its timer fires: otherwise it could not
 * distinguish a silent peer from a program that was busy. It takes two turns of the event loop, because a driver may need
 * the second one to hand over what the first one found.
 */
export function afterPendingInput(clock: Clock, callback: () => void): ClockTimer {
  let pending = clock.setImmediate(() => {
    pending = clock.setImmediate(callback)
  })
  return { close: () => pending.close() }
}

/** The longest delay of setInterval in Node.js: 2^31 - 1 ms. */
const FOREVER_MS = 0x7fffffff

/** Keeps the process alive while it is held, for transports that have no handle of their own in the event loop. */
export class KeepAlive {
  #holders = 0
  #timer: NodeJS.Timeout | undefined

  /** Keeps the process alive until {@link release} was called as often as `hold`. */
  hold(): void {
    if (this.#holders++ === 0) this.#timer = setInterval(() => {}, FOREVER_MS)
  }

  /** Undoes one {@link hold}. After the last one, the process may exit. Call it exactly once for each `hold`. */
  release(): void {
    if (--this.#holders === 0) clearInterval(this.#timer)
  }
}
