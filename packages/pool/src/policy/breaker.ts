/**
 * The circuit breaker of one endpoint: a state machine without a clock of its own.
 *
 * - `closed`: traffic goes there. So many failures in a row open it.
 * - `open`: no traffic for a while, which grows with every opening.
 * - `half-open`: the while is over; one probe decides.
 *
 * A probe that connects closes the breaker on trial: until a connection was used and came back in order, the next failure
 * opens it again. An endpoint that accepts connections and then fails every call is therefore out as well.
 */
import { checkInteger, checkOptionNames, checkTimeout } from '@netts/core/driver'

/** Options of the circuit breaker. */
export interface BreakerOptions {
  /** How many failures in a row take an endpoint out. @default 5 */
  readonly failures?: number | undefined
  /** How long it is out the first time, in milliseconds; then twice, three times as long. @default 5000 */
  readonly openMs?: number | undefined
  /** The longest that it is out, in milliseconds. @default 300000 */
  readonly maxOpenMs?: number | undefined
}

/** Where a breaker is. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** The options of a breaker, with their defaults. */
export type BreakerLimits = { readonly [K in keyof BreakerOptions]-?: number }

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, or one out of range */
export function checkBreakerOptions(options: BreakerOptions = {}): BreakerLimits {
  checkOptionNames('breaker', options, ['failures', 'openMs', 'maxOpenMs'])
  const { failures = 5, openMs = 5_000, maxOpenMs = 300_000 } = options
  checkTimeout('breaker.maxOpenMs', maxOpenMs)
  return {
    failures: checkInteger('breaker.failures', failures, 1, 1_000_000),
    openMs: checkInteger('breaker.openMs', openMs, 1, maxOpenMs),
    maxOpenMs,
  }
}

/** See above. Times are milliseconds of one monotonic clock. */
export class Breaker {
  readonly #limits: BreakerLimits
  readonly #random: () => number
  #failuresInARow = 0
  /** How often it opened, less what has decayed. */
  #openings = 0
  #closedAtMs = 0
  #openUntilMs: number | undefined
  #isProbing = false

  /** @param random where the jitter comes from: from 0 up to, and without, 1 */
  constructor(limits: BreakerLimits, random: () => number) {
    this.#limits = limits
    this.#random = random
  }

  state(nowMs: number): BreakerState {
    if (this.#openUntilMs === undefined) return 'closed'
    return nowMs < this.#openUntilMs ? 'open' : 'half-open'
  }

  get isClosed(): boolean {
    return this.#openUntilMs === undefined
  }

  /** When a probe may begin; `undefined` while closed. */
  get openUntilMs(): number | undefined {
    return this.#openUntilMs
  }

  /** Whether an attempt to connect may begin. */
  allowsConnect(nowMs: number): boolean {
    if (this.#openUntilMs === undefined) return true
    return nowMs >= this.#openUntilMs && !this.#isProbing
  }

  /** An attempt to connect begins. */
  onConnecting(): void {
    if (this.#openUntilMs !== undefined) this.#isProbing = true
  }

  /** An attempt was given up, for reasons that say nothing about the endpoint. */
  onConnectCancelled(): void {
    this.#isProbing = false
  }

  /** @returns whether that closed it */
  onConnected(nowMs: number): boolean {
    this.#isProbing = false
    if (this.#openUntilMs === undefined) return false
    this.#openUntilMs = undefined
    this.#closedAtMs = nowMs
    this.#failuresInARow = this.#limits.failures - 1
    return true
  }

  /** A connection was used and came back in order. */
  onSuccess(): void {
    if (this.#openUntilMs === undefined) this.#failuresInARow = 0
  }

  /** The endpoint refused a connection, or ended one that was in use. @returns whether that opened it */
  onFailure(nowMs: number): boolean {
    const { failures, openMs, maxOpenMs } = this.#limits
    if (this.#openUntilMs !== undefined) {
      // What was in use when it opened says nothing new; a probe does.
      if (!this.#isProbing) return false
      this.#isProbing = false
    } else {
      if (++this.#failuresInARow < failures) return false
      // Each time that it was well for as long as it is first out, one opening is forgotten.
      const healthyMs = Math.max(0, nowMs - this.#closedAtMs)
      this.#openings = Math.max(0, this.#openings - Math.floor(healthyMs / openMs))
    }
    this.#openings++
    const longestMs = Math.min(maxOpenMs, openMs * this.#openings)
    this.#openUntilMs = nowMs + longestMs * (0.5 + this.#random() / 2)
    return true
  }
}
