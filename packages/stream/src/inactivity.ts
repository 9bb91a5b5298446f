/** The timer behind the event `timeout`: nothing was sent or received for some time. */
import { afterPendingInput, backgroundClock, type ClockTimer } from '@netts/core/driver'
import { now } from '@netts/core/lifecycle'

/** Watches for activity, with one timer. Each activity costs one look at the clock and at the queue. */
export class Inactivity {
  readonly #queuedBytes: () => number
  readonly #onTimeout: () => void
  #timeoutMs = 0
  #lastActivityMs = 0
  #lastQueuedBytes = 0
  #timer: ClockTimer | undefined
  /** When the timer fires. */
  #dueMs = 0

  /**
   * @param queuedBytes returns how many bytes the wire has not taken yet. A lower number than at the last activity is
   *   activity too, which is not reported by {@link touch}
   * @param onTimeout called after the time without activity; the next activity starts the timer again
   */
  constructor(queuedBytes: () => number, onTimeout: () => void) {
    this.#queuedBytes = queuedBytes
    this.#onTimeout = onTimeout
  }

  /** @param timeoutMs 0 stops it */
  set(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs
    // A timer that runs may continue, as it checks the time when it fires. HTTP calls this twice for each request.
    if (timeoutMs > 0 && now() + timeoutMs < this.#dueMs) this.stop()
    this.touch()
  }

  /** There was activity. */
  touch(): void {
    if (this.#timeoutMs === 0) return
    this.#lastActivityMs = now()
    this.#lastQueuedBytes = this.#queuedBytes()
    if (!this.#timer) this.#wait(this.#timeoutMs)
  }

  stop(): void {
    this.#timer?.close()
    this.#timer = undefined
  }

  #wait(delayMs: number): void {
    this.#dueMs = now() + delayMs
    this.#timer = backgroundClock.setTimer(() => {
      // Look for pending input first: the program may have been busy.
      this.#timer = afterPendingInput(backgroundClock, () => this.#look())
    }, delayMs)
  }

  #look(): void {
    const leftMs = this.#lastActivityMs + this.#timeoutMs - now()
    this.#timer = undefined
    if (this.#timeoutMs === 0) return
    if (leftMs > 0) this.#wait(Math.ceil(leftMs))
    else if (this.#queuedBytes() < this.#lastQueuedBytes) this.touch()
    else this.#onTimeout()
  }
}
