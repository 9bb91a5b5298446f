/**
 * The program's abort signals, of any realm, shared by any number of operations.
 *
 * Node.js warns about more than ten listeners on one signal, and a server may have one signal for everything. So netts has
 * one listener on each signal, however many operations wait for it.
 */

/** An operation that waits for a signal. */
export interface AbortSubscriber {
  /** The signal fired, which ended the subscription. Called once. Must not throw. */
  onAbort(): void
}

class Subscribers {
  readonly #signal: AbortSignal
  readonly #waiting = new Set<AbortSubscriber>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  add(subscriber: AbortSubscriber): void {
    if (this.#waiting.size === 0) this.#signal.addEventListener('abort', this, { once: true })
    this.#waiting.add(subscriber)
  }

  remove(subscriber: AbortSubscriber): void {
    if (this.#waiting.delete(subscriber) && this.#waiting.size === 0) {
      this.#signal.removeEventListener('abort', this)
    }
  }

  /** The signal's listener. */
  handleEvent(): void {
    for (const subscriber of this.#waiting) {
      this.#waiting.delete(subscriber)
      subscriber.onAbort()
    }
  }
}

const subscribers = new WeakMap<AbortSignal, Subscribers>()

/** Whether a value is an AbortSignal. Those of another realm, or of jsdom, are not instances of this realm's class. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AbortSignal>).aborted === 'boolean' &&
    typeof (value as Partial<AbortSignal>).addEventListener === 'function'
  )
}

/** Subscribes to a signal that is not aborted yet. */
export function subscribe(signal: AbortSignal, subscriber: AbortSubscriber): void {
  let all = subscribers.get(signal)
  if (!all) {
    all = new Subscribers(signal)
    subscribers.set(signal, all)
  }
  all.add(subscriber)
}

/** Ends a subscription. */
export function unsubscribe(signal: AbortSignal, subscriber: AbortSubscriber): void {
  subscribers.get(signal)?.remove(subscriber)
}
