/** Notices a peer that stops in the middle of a message. */

/** One lazy timer: it costs nothing while messages come whole, and never keeps the process alive. */
export class MessageDeadline {
  readonly #timeoutMs: number
  readonly #onPassed: () => void
  #timer: NodeJS.Timeout | undefined

  /** @param timeoutMs 0 never passes */
  constructor(timeoutMs: number, onPassed: () => void) {
    this.#timeoutMs = timeoutMs
    this.#onPassed = onPassed
  }

  /** The peer did something: the whole time begins again. */
  restart(): void {
    if (this.#timer) this.#timer.refresh()
    else if (this.#timeoutMs > 0) this.#timer = setTimeout(() => this.#pass(), this.#timeoutMs).unref()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #pass(): void {
    this.#timer = undefined
    this.#onPassed()
  }
}
