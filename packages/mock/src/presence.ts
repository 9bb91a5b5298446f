/** Keeps the process alive for transports and listeners, which have no handle in the event loop. */
import { KeepAlive } from '@netts/core/driver'

const process = new KeepAlive()

/** Keeps the process alive from its construction to `end`, except after `unref`. */
export class Presence {
  #isOver = false
  #isHeld = true

  constructor() {
    process.hold()
  }

  ref(): void {
    if (this.#isHeld || this.#isOver) return
    this.#isHeld = true
    process.hold()
  }

  unref(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    process.release()
  }

  /** Lets the process exit, whatever `ref` says afterwards. Idempotent. */
  end(): void {
    this.unref()
    this.#isOver = true
  }
}
