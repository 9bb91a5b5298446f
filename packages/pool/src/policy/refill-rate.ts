/** How fast connections are opened that no caller waits for: a token bucket without a clock of its own. */
export class RefillRate {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #lastMs = 0

  /** @param burst how many may be opened at once after a rest */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
  }

  /** Takes the right to open one, if there is one now. */
  take(nowMs: number): boolean {
    const gained = (Math.max(0, nowMs - this.#lastMs) * this.#perSecond) / 1000
    this.#tokens = Math.min(this.#burst, this.#tokens + gained)
    this.#lastMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** How long until the next one, in milliseconds, right after one was refused. */
  get waitMs(): number {
    return Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond)
  }
}
