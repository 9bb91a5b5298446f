/** How late timers of this process come: what anything else in it waits while the traffic holds the event loop. */
import type { Lateness } from '../run/protocol.js'

/** Timers at a time. More of them see more moments of a window, and cost next to nothing. */
const TIMERS = 8

/** Delays differ, 1 ms to this, or timers would fall into step with the turns of the loop and hide what they last. */
const LONGEST_DELAY_MS = 10

/** Timers that are set again whenever they fire. */
export class LatenessProbe {
  readonly #latenessMs: number[] = []
  /** When each timer is due, by `performance.now()`. */
  readonly #dueMs: number[] = []
  readonly #timers: NodeJS.Timeout[] = []

  start(): void {
    for (let i = 0; i < TIMERS; i++) this.#set(i)
  }

  #set(i: number): void {
    const delayMs = 1 + Math.floor(Math.random() * LONGEST_DELAY_MS)
    this.#dueMs[i] = performance.now() + delayMs
    this.#timers[i] = setTimeout(() => {
      this.#latenessMs.push(performance.now() - (this.#dueMs[i] as number))
      this.#set(i)
    }, delayMs)
  }

  /** Timers that are overdue count with the time they are late so far. */
  stop(): Lateness {
    const nowMs = performance.now()
    for (const timer of this.#timers) clearTimeout(timer)
    const overdue = this.#dueMs.filter((dueMs) => dueMs < nowMs).map((dueMs) => nowMs - dueMs)
    const sorted = [...this.#latenessMs, ...overdue].sort((a, b) => a - b)
    // Node.js keeps time in whole milliseconds, so that a timer may come a part of one early: that is not late.
    const at = (share: number) => Math.max(0, sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 1e6
    return { p50: at(0.5), p99: at(0.99), max: at(1) }
  }
}
