/** Keeps the process alive while somebody waits for a pool or has borrowed from it. */
import { setInterval } from 'node:timers'

/** setInterval's longest: 2^31 - 1 ms. */
const FOREVER_MS = 0x7fffffff

/** One timer, made when it is first needed: to hold and let go costs nothing but a flag of it. */
export class ProcessHold {
  #timer: NodeJS.Timeout | undefined
  #holders = 0

  hold(): void {
    if (this.#holders++ > 0) return
    this.#timer ??= setInterval(() => {}, FOREVER_MS)
    this.#timer.ref()
  }

  /** Once for each {@link hold}. */
  release(): void {
    if (--this.#holders === 0) this.#timer?.unref()
  }

  /** For good, when nobody holds. */
  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
