/** The one way in which netts gives up on something: no progress that can be seen, for a whole deadline. */
import { afterPendingInput, type Clock, type ClockTimer } from './event-loop.js'

/** A deadline is looked at this often while it runs, and is over after as many looks in a row without progress. */
const LOOKS = 4

/** What a {@link StallDeadline} watches. */
export interface StallDeadlineParts {
  /** The clock of the deadline. */
  readonly clock: Clock
  /** 0 waits for ever. */
  readonly timeoutMs: number
  /** Takes in what is there, before progress is asked for. May end the watch by {@link StallDeadline.stop}. */
  readonly look?: (() => void) | undefined
  /**
   * A number that changes with any progress; `undefined` when there is nothing to wait for any more. May be a promise
   * where it has to be looked up.
   */
  readonly progress: () => number | undefined | Promise<number | undefined>
  /** The same as far as it is known without looking it up: most watches end before the first look. @default progress */
  readonly baseline?: (() => number) | undefined
  /** There was no progress for `timeoutMs`, or up to a quarter longer. */
  readonly onStalled: () => void
}

/**
 * Watches something that has to go on. It costs one timer, and nothing with each progress.
 *
 * Each look comes after the event loop looked for input, and counts as a quarter of the deadline however late it comes:
 * a program that was busy, or a machine that slept, does not make a peer silent.
 */
export class StallDeadline {
  readonly #parts: StallDeadlineParts
  #timer: ClockTimer | undefined
  #progress: number | undefined
  #quietLooks = 0

  constructor(parts: StallDeadlineParts) {
    this.#parts = parts
  }

  /** Begins to watch, unless it does already. */
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
