/** Notices that something has stopped going on. */

/** One lazy timer: it costs nothing before the first {@link restart}, and never keeps the process alive. */
export class StallTimer {
  readonly #timeoutMs: number
  readonly #onStalled: () => void
  #timer: NodeJS.Timeout | undefined

  /**
   * @param timeoutMs 0 waits for ever
   * @param onStalled called when nothing restarted the timer for so long
   */
  constructor(timeoutMs: number, onStalled: () => void) {
    this.#timeoutMs = timeoutMs
    this.#onStalled = onStalled
  }

  /** There was progress: the whole time begins again. */
  restart(): void {
    if (this.#timer) this.#timer.refresh()
    else if (this.#timeoutMs > 0) this.#timer = setTimeout(() => this.#stall(), this.#timeoutMs).unref()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #stall(): void {
    this.#timer = undefined
    this.#onStalled()
  }
}
