/** Lists that are looked up periodically, as with DNS. */
import { backgroundClock, type ClockTimer } from '@netts/core/driver'

/** Looks up at once, and `refreshMs` after each answer. A lookup that fails ends the iteration with its error. */
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
        // The timer does not keep the process alive; a caller that waits for a connection does.
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
