/** What is open keeps the process alive, as a socket does, although it has no handle in the event loop. */
import { KeepAlive } from '@netts/core/driver'

const process = new KeepAlive()

/** Keeps the process alive from the beginning to its end, but for while it is unref'd. */
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

  /** For good. Idempotent. */
  end(): void {
    this.unref()
    this.#isOver = true
  }
}
