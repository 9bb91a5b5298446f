/** The rate at which connections are opened that no caller waits for: a token bucket without a clock of its own. */
export class RefillRate {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #lastMs = 0

  /** @param burst how many may be opened at once after a pause */
  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
  }

  /** Takes a token. @returns whether a connection may be opened now */
  take(nowMs: number): boolean {
    const gained = (Math.max(0, nowMs - this.#lastMs) * this.#perSecond) / 1000
    this.#tokens = Math.min(this.#burst, this.#tokens + gained)
    this.#lastMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** How long until the next token, in milliseconds. Valid right after {@link take} returned `false`. */
  get waitMs(): number {
    return Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond)
  }
}
