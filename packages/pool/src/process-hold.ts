/** Keeps the process alive while a caller waits for a connection of a pool, or has one. */
import { setInterval } from 'node:timers'

/** The longest delay of setInterval in Node.js: 2^31 - 1 ms. */
const FOREVER_MS = 0x7fffffff

/** One timer, made when first needed. Holding and releasing only switch its `ref` and `unref`. */
export class ProcessHold {
  #timer: NodeJS.Timeout | undefined
  #holders = 0

  /** Keeps the process alive until {@link release} was called as often. */
  hold(): void {
    if (this.#holders++ > 0) return
    this.#timer ??= setInterval(() => {}, FOREVER_MS)
    this.#timer.ref()
  }

  /** Call it once for each {@link hold}. */
  release(): void {
    if (--this.#holders === 0) this.#timer?.unref()
  }

  /** Removes the timer, when nobody holds. */
  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
