/** Lists that are looked up again and again: what DNS is. */
import { backgroundClock, type ClockTimer } from '@netts/core/driver'

/** Looks up at once, and then so long after each answer. A lookup that fails ends the iteration with its error. */
export class PolledLists<L> implements AsyncIterable<L> {
  readonly #lookUp: () => Promise<L>
  readonly #refreshMs: number

  constructor(lookUp: () => Promise<L>, refreshMs: number) {
    this.#lookUp = lookUp
    this.#refreshMs = refreshMs
  }

  [Symbol.asyncIterator](): AsyncIterator<L, void> {
    const lookUp = this.#lookUp
    const refreshMs = this.#refreshMs
    let isFirst = true
    let isOver = false
    let endPause = () => {}
    const pause = () =>
      new Promise<void>((resolve) => {
        // It keeps no process alive: whoever waits for a connection does.
        const timer: ClockTimer = backgroundClock.setTimer(resolve, refreshMs)
        endPause = () => {
          timer.close()
          resolve()
        }
      })
    return {
      async next() {
        if (!isFirst && !isOver) await pause()
        isFirst = false
        if (isOver) return { value: undefined, done: true }
        return { value: await lookUp(), done: false }
      },
      async return() {
        isOver = true
        endPause()
        return { value: undefined, done: true }
      },
    }
  }
}
