/** Deadlines about a peer: they pass when there was no visible progress for their whole time. */
import { afterPendingInput, type Clock, type ClockTimer } from './event-loop.js'

/** How often progress is checked within a deadline, which passes after as many checks in a row without progress. */
const LOOKS = 4

/** What a {@link StallDeadline} watches. */
export interface StallDeadlineParts {
  /** The clock of the deadline. */
  readonly clock: Clock
  /** How long there may be no progress, in milliseconds; 0 disables the deadline. */
  readonly timeoutMs: number
  /** Handles pending events before each check of the progress. It may call {@link StallDeadline.stop}. */
  readonly look?: (() => void) | undefined
  /**
   * Returns a number that changes with any progress, or `undefined` when there is nothing to wait for any more, which stops
   * the deadline. It may return a promise, which must not reject.
   */
  readonly progress: () => number | undefined | Promise<number | undefined>
  /**
   * Returns the number at the start, where {@link progress} would have to look it up: most deadlines are stopped before the
   * first check. @default progress
   */
  readonly baseline?: (() => number) | undefined
  /** Called when there was no progress for `timeoutMs`, or up to a quarter longer. The deadline is stopped then. */
  readonly onStalled: () => void
}

/**
 * A deadline that passes when something makes no progress for a time. It costs one timer, and nothing for each progress.
 *
 * Progress is checked four times within the deadline, each time after the event loop has looked for input. However late a
 * check comes, it counts as a quarter of the deadline: a peer is not taken for silent because the program was busy or the
 * machine slept.
 */
export class StallDeadline {
  readonly #parts: StallDeadlineParts
  #timer: ClockTimer | undefined
  #progress: number | undefined
  #quietLooks = 0

  constructor(parts: StallDeadlineParts) {
    this.#parts = parts
  }

  /** Starts the deadline, unless it runs already. */
  start(): void {
    const { timeoutMs, progress, baseline = progress } = this.#parts
    if (this.#timer || timeoutMs === 0) return
    const first = baseline()
    this.#progress = typeof first === 'number' ? first : undefined
    this.#quietLooks = 0
    this.#wait()
  }

  /** Stops the deadline. It may be started again. */
  stop(): void {
    this.#timer?.close()
    this.#timer = undefined
  }

  #wait(): void {
    const { clock, timeoutMs } = this.#parts
    this.#timer = clock.setTimer(() => {
      this.#timer = afterPendingInput(clock, () => this.#look())
    }, timeoutMs / LOOKS)
  }

  #look(): void {
    this.#parts.look?.()
    if (!this.#timer) return
    const progress = this.#parts.progress()
    if (!(progress instanceof Promise)) {
      this.#judge(progress)
      return
    }
    const timer = this.#timer
    void progress.then((found) => {
      if (this.#timer === timer) this.#judge(found)
    })
  }

  #judge(progress: number | undefined): void {
    if (progress === undefined) {
      this.stop()
      return
    }
    if (progress !== this.#progress) {
      this.#progress = progress
      this.#quietLooks = 0
    } else if (++this.#quietLooks >= LOOKS) {
      this.stop()
      this.#parts.onStalled()
      return
    }
    this.#wait()
  }
}
