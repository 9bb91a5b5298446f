/** The waker every driver needs: at most one call pending, never from inside a method of the transport. */

// Captured, so that a test runner's fake timers don't freeze transports.
const { nextTick } = process

/** Holds a transport's `waker` callback and calls it according to the waker rules. */
export class Waker {
  #callback: (() => void) | undefined
  #pending = false
  #scheduled = false

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
    const callback = this.#callback
    this.#pending = callback === undefined
    callback?.()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    nextTick(Waker.#run, this)
  }

  static #run(this: void, waker: Waker): void {
    waker.#scheduled = false
    if (!waker.#pending || !waker.#callback) return
    waker.#pending = false
    waker.#callback()
  }
}
