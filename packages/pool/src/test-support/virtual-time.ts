/** Time that passes when a test says so, for a pool and the mock network below it. Turns of the event loop are real. */
import type { ClockTimer } from '@netts/core/driver'
import type { MockClock } from '@netts/mock'
import type { PoolTime } from '../time.js'

interface Entry extends ClockTimer {
  readonly dueMs: number
  readonly callback: () => void
}

export class VirtualTime implements PoolTime, MockClock {
  #nowMs = 0
  #wallMs = 1_000_000
  readonly #pending = new Set<Entry>()

  /** Timers that are set. */
  get pending(): number {
    return this.#pending.size
  }

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#wallMs
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

  setTimeout(callback: () => void, delayMs: number): unknown {
    return this.setTimer(callback, delayMs)
  }

  clearTimeout(timer: unknown): void {
    ;(timer as ClockTimer | undefined)?.close()
  }

  /** The machine sleeps: the clock on the wall goes on, and nothing else. It may also be set back. */
  sleep(ms: number): void {
    this.#wallMs += ms
  }

  /** Lets time pass, and whatever becomes due happen, in order; promises and the wire go on in between. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await turns()
    for (;;) {
      let next: Entry | undefined
      for (const entry of this.#pending) if (!next || entry.dueMs < next.dueMs) next = entry
      if (!next || next.dueMs > untilMs) break
      this.#to(next.dueMs)
      next.close()
      next.callback()
      await turns()
    }
    this.#to(untilMs)
    await turns()
  }

  #to(ms: number): void {
    this.#wallMs += ms - this.#nowMs
    this.#nowMs = ms
  }
}

/** As many turns as anything takes that needs no time. */
export async function turns(): Promise<void> {
  for (let n = 0; n < 6; n++) await new Promise((resolve) => setImmediate(resolve))
}
