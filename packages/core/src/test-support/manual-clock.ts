/** Time that passes when a test says so. Turns of the event loop are real ones. */
import type { Clock, ClockTimer } from '../runtime/event-loop.js'

interface Entry extends ClockTimer {
  readonly dueMs: number
  readonly callback: () => void
}

export class ManualClock implements Clock {
  #nowMs = 0
  readonly #pending = new Set<Entry>()

  /** Timers that are set. */
  get pending(): number {
    return this.#pending.size
  }

  setTimer(callback: () => void, delayMs: number): ClockTimer {
    const entry: Entry = {
      callback,
      dueMs: this.#nowMs + delayMs,
      close: () => {
        this.#pending.delete(entry)
      },
    }
    this.#pending.add(entry)
    return entry
  }

  setImmediate(callback: () => void): ClockTimer {
    const immediate = setImmediate(callback)
    return { close: () => clearImmediate(immediate) }
  }

  /** Lets time pass, and whatever becomes due happen, in order; promises settle in between. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const [next] = [...this.#pending].sort((a, b) => a.dueMs - b.dueMs)
      if (!next || next.dueMs > untilMs) break
      this.#nowMs = next.dueMs
      next.close()
      next.callback()
      await turns()
    }
    this.#nowMs = untilMs
    await turns()
  }
}

/** As many as anything takes that a timer leads to. */
async function turns(): Promise<void> {
  for (let n = 0; n < 4; n++) await new Promise((resolve) => setImmediate(resolve))
}
