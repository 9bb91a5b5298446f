/**
 * Brings events from the addon to their receivers.
 *
 * An object is referred to from here while it is open and has a callback: like a socket, it then stays open although
 * nothing else refers to it. An object without a callback is closed when it is garbage-collected.
 */
import type { NativeBinding } from './native-binding.js'

/** An object that can have events. */
export interface Receiver {
  /** Asks the addon what happened, and calls the object's callback. */
  dispatch(): void
}

/** The receivers of one environment, by the number of their native object. */
export class Dispatch {
  readonly #receivers = new Map<number, Receiver>()

  constructor(binding: NativeBinding) {
    binding.setDispatcher((number) => this.#receivers.get(number)?.dispatch())
  }

  set(number: number, receiver: Receiver | undefined): void {
    if (receiver === undefined) this.#receivers.delete(number)
    else this.#receivers.set(number, receiver)
  }

  clear(): void {
    this.#receivers.clear()
  }
}
