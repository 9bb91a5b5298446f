/** The `timeout` event: nothing was sent or received for some time. */
import { afterPendingInput, backgroundClock, type ClockTimer } from '@netts/core/driver'
import { now } from '@netts/core/lifecycle'

/** Watches for activity. It costs a look at the time and at the queue with each, and one timer. */
export class Inactivity {
  readonly #queuedBytes: () => number
  readonly #onTimeout: () => void
  #timeoutMs = 0
  #lastActivityMs = 0
  #lastQueuedBytes = 0
  #timer: ClockTimer | undefined
  /** When the timer runs out. */
  #dueMs = 0

  /**
   * @param queuedBytes what the wire has not taken yet: what it took since the last activity is activity too, of which
   *   {@link touch} is not told
   * @param onTimeout there was no activity for so long; it begins to count again with the next one
   */
  constructor(queuedBytes: () => number, onTimeout: () => void) {
    this.#queuedBytes = queuedBytes
    this.#onTimeout = onTimeout
  }

  /** @param timeoutMs 0 stops it */
  set(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs
    // One that runs may go on: it looks whether it is time. HTTP sets and stops this with each request.
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
      // A program that was busy is no silent peer.
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
