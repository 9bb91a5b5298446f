/**
 * Brings events from the addon to their receivers.
 *
 * An object is held here exactly as long as it is open and has a callback: like a socket, it then lives on while
 * nobody but its callbacks refers to it. Without a callback it is the program's alone, and closes when it is
 * garbage-collected.
 */
import type { NativeBinding } from './native-binding.js'

/** Something that asks the addon what happened. */
export interface Receiver {
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
