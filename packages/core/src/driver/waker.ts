/** Calls a transport's waker: at most one call is pending, and none comes from inside a method of the transport. */
import { nextTick } from '../runtime/event-loop.js'

/** Holds a transport's `waker` callback and calls it according to the waker rules. */
export class Waker {
  readonly #onThrow: (error: unknown) => void
  #callback: (() => void) | undefined
  #pending = false
  #scheduled = false

  /** @param onThrow called with what the callback throws; it ends the transport */
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
   * Something changed: calls the callback soon. Several calls before that lead to one. Without a callback, the call is made
   * when one is assigned.
   */
  wake(): void {
    this.#pending = true
    if (this.#callback) this.#schedule()
  }

  /**
   * Like {@link wake}, but calls at once. It is for callbacks of the event loop, when no method of the transport can be on
   * the stack. Call it last in such a callback, since the waker may do anything.
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
