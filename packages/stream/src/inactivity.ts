/** The `timeout` event: nothing was sent or received for some time. */
import { afterPendingInput, backgroundClock, type ClockTimer } from '@netts/core/driver'
import { now } from '@netts/core/lifecycle'

/** Watches for activity. It costs a look at the time with each, and one timer. */
export class Inactivity {
  readonly #isActive: () => boolean
  readonly #onTimeout: () => void
  #timeoutMs = 0
  #lastActivityMs = 0
  #timer: ClockTimer | undefined

  /**
   * @param isActive asked before it fires: whether something moves that is not told by {@link touch}
   * @param onTimeout there was no activity for so long; it begins to count again with the next one
   */
  constructor(isActive: () => boolean, onTimeout: () => void) {
    this.#isActive = isActive
    this.#onTimeout = onTimeout
  }

  /** @param timeoutMs 0 stops it */
  set(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs
    this.stop()
    this.touch()
  }

  /** There was activity. */
  touch(): void {
    if (this.#timeoutMs === 0) return
    this.#lastActivityMs = now()
    if (!this.#timer) this.#wait(this.#timeoutMs)
  }

  stop(): void {
    this.#timer?.close()
    this.#timer = undefined
  }

  #wait(delayMs: number): void {
    this.#timer = backgroundClock.setTimer(() => {
      // A program that was busy is no silent peer.
      this.#timer = afterPendingInput(backgroundClock, () => this.#look())
    }, delayMs)
  }

  #look(): void {
    const leftMs = this.#lastActivityMs + this.#timeoutMs - now()
    this.#timer = undefined
    if (leftMs > 0) this.#wait(Math.ceil(leftMs))
    else if (this.#isActive()) this.touch()
    else this.#onTimeout()
  }
}
