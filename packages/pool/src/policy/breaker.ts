/**
 * The circuit breaker of one endpoint: a state machine without a clock of its own. {@link BreakerState} explains the
 * states.
 *
 * A probe that connects closes the breaker on trial: until a connection was used and came back in order, the next failure
 * opens it again. This takes out an endpoint that accepts connections and then fails every call.
 */
import { checkInteger, checkOptionNames, checkTimeout } from '@netts/core/driver'

/**
 * Options of the circuit breakers, of which each endpoint has one. Failures are failed attempts to connect, connections
 * that an error ended while they were lent, and `release(error)`; causes on this machine do not count.
 */
export interface BreakerOptions {
  /** How many failures one after the other open the breaker: the endpoint gets no traffic then. @default 5 */
  readonly failures?: number | undefined
  /**
   * How long the breaker is open the first time, in milliseconds. The next opening takes twice as long, then three times
   * and so on; each `openMs` without another opening takes one back. The actual time is random, from half of that up. From
   * 1 to `maxOpenMs`. @default 5000
   */
  readonly openMs?: number | undefined
  /** The longest time that the breaker is open, in milliseconds. @default 300000 */
  readonly maxOpenMs?: number | undefined
}

/**
 * The state of an endpoint's circuit breaker:
 *
 * - `closed`: the endpoint gets traffic;
 * - `open`: after too many failures it gets none, for a while;
 * - `half-open`: that time is over, and one attempt to connect decides whether the breaker closes or opens again.
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** The options of a breaker, with their defaults. */
export type BreakerLimits = { readonly [K in keyof BreakerOptions]-?: number }

/**
 * Checks the options of a circuit breaker and fills in the defaults.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown or out of range
 */
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

/** The circuit breaker of one endpoint. Times are milliseconds of one monotonic clock. */
export class Breaker {
  readonly #limits: BreakerLimits
  readonly #random: () => number
  #failuresInARow = 0
  /** How often it opened, minus one for each `openMs` that it was closed since. */
  #openings = 0
  #closedAtMs = 0
  #openUntilMs: number | undefined
  #isProbing = false

  /** @param random returns random numbers from 0 up to, but not including, 1, for the jitter */
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

  /** An attempt was cancelled, or failed for a reason that says nothing about the endpoint. */
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
      // A connection that was in use when it opened says nothing new; a probe does.
      if (!this.#isProbing) return false
      this.#isProbing = false
    } else {
      if (++this.#failuresInARow < failures) return false
      // For each `openMs` that it was closed, one opening is forgotten.
      const healthyMs = Math.max(0, nowMs - this.#closedAtMs)
      this.#openings = Math.max(0, this.#openings - Math.floor(healthyMs / openMs))
    }
    this.#openings++
    const longestMs = Math.min(maxOpenMs, openMs * this.#openings)
    this.#openUntilMs = nowMs + longestMs * (0.5 + this.#random() / 2)
    return true
  }
}
