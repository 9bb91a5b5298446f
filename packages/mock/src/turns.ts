/** Everything that happens on the mock's wire happens in a later turn of the event loop, in order. */
import { type Clock, clock as machineClock } from '@netts/core/driver'

/** Runs actions in later turns of the event loop, or after a delay of the network's clock. */
export class Turns {
  readonly #clock: Clock
  #due: (() => void)[] = []

  /** @param clock the clock of delays. Turns are those of the real event loop, as fake timers must not stop the wire */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs the action in the next turn, after those that were scheduled before. */
  next(action: () => void): void {
    if (this.#due.push(action) === 1) machineClock.setImmediate(this.#run)
  }

  /** Runs the action after a delay of the clock, and then `turns` turns, at least one. */
  after(delayMs: number, turns: number, action: () => void): void {
    if (delayMs > 0) {
      this.#clock.setTimer(() => this.after(0, turns, action), delayMs)
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
