/** Turns: whatever happens on the mock's wire happens in a later turn of the event loop, in order. */
import type { MockClock } from './clock.js'

// Captured when the module loads, so that a test runner's fake timers don't freeze the wire.
const { setImmediate } = globalThis

/** Runs actions in later turns of the event loop, or after a delay of the network's clock. */
export class Turns {
  readonly #clock: MockClock
  #due: (() => void)[] = []

  constructor(clock: MockClock) {
    this.#clock = clock
  }

  /** Runs the action in the next turn, after those asked for before. */
  next(action: () => void): void {
    if (this.#due.push(action) === 1) setImmediate(this.#run)
  }

  /** Runs the action after a delay of the clock, and then `turns` turns, at least one. */
  after(delayMs: number, turns: number, action: () => void): void {
    if (delayMs > 0) {
      this.#clock.setTimeout(() => this.after(0, turns, action), delayMs)
    } else if (turns > 1) {
      this.next(() => this.after(0, turns - 1, action))
    } else {
      this.next(action)
    }
  }

  readonly #run = () => {
    const due = this.#due
    this.#due = []
    for (const action of due) action()
  }
}
