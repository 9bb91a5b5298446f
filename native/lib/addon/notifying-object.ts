/** Objects for which native code reports that there is something to take: completion channels and queues. */
import { DirectObject } from './direct-object.js'
import type { Receiver } from './dispatch.js'

/** An object with a callback. While it has one and is open, it is not garbage-collected. */
export abstract class NotifyingObject extends DirectObject implements Receiver {
  #onNotify: (() => void) | undefined

  get onNotify(): (() => void) | undefined {
    return this.#onNotify
  }

  set onNotify(callback: (() => void) | undefined) {
    this.#onNotify = callback
    if (!this.closed) this.environment.dispatch.set(this.serial, callback === undefined ? undefined : this)
  }

  dispatch(): void {
    this.#onNotify?.()
  }
}
