/** The waker every driver needs: at most one call pending, never from inside a method of the transport. */
import { nextTick } from '../runtime/event-loop.js'

/** Holds a transport's `waker` callback and calls it according to the waker rules. */
export class Waker {
  readonly #onThrow: (error: unknown) => void
  #callback: (() => void) | undefined
  #pending = false
  #scheduled = false

  /** @param onThrow gets what the callback throws: it ends the transport, and nothing else */
  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow
  }

  get callback(): (() => void) | undefined {
    return this.#callback
  }

  /** Assigning a callback while something is pending schedules a call. */
  set callback(callback: (() => void) | undefined) {
    this.#callback = callback
    if (callback && this.#pending) this.#schedule()
  }

  /**
   * Something changed: call the callback soon. Calls made before it ran are served by that one. With no callback
   * it is remembered for the next one.
   */
  wake(): void {
    this.#pending = true
    if (this.#callback) this.#schedule()
  }

  /**
   * Like {@link wake}, and calls at once: for callbacks of the event loop, when no method of the transport can be
   * on the stack. It is the last thing such a callback does, since the waker may do anything.
   */
  wakeNow(): void {
    this.#pending = true
    if (this.#callback) Waker.#call(this)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    nextTick(Waker.#run, this)
  }

  static #run(this: void, waker: Waker): void {
    waker.#scheduled = false
    if (waker.#pending && waker.#callback) Waker.#call(waker)
  }

  static #call(waker: Waker): void {
    waker.#pending = false
    try {
      waker.#callback!()
    } catch (error) {
      waker.#onThrow(error)
    }
  }
}
