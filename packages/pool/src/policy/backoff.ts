/** When an endpoint is tried again after a failure: the policies of this package, and the type of a program's own. */
import type { Address, NettsError } from '@netts/core'
import { checkInteger, checkOptionNames } from '@netts/core/driver'

/** The longest that a timer can wait: 2^31 - 1 ms, about 24.8 days. */
const LONGEST_DELAY_MS = 0x7fffffff

/** What a {@link ReconnectPolicy} decides about: an endpoint that could not be connected to. */
export interface ReconnectAttempt {
  /**
   * How many rounds of attempts failed one after the other at this endpoint, this one included; at least 1. Attempts that
   * were in progress together are one round.
   */
  readonly failures: number
  /** The address of the endpoint. */
  readonly endpoint: Address
  /** Why this round failed. */
  readonly error: NettsError
}

/**
 * Returns how many milliseconds to wait before the next attempt at an endpoint. Less than 1 counts as 1.
 *
 * With `undefined` the caller that has waited longest rejects with `ERR_NETTS_CONNECT_FAILED`, and the next `acquire`
 * tries again. If the function throws, or returns a number that is not finite, {@link reconnectExponential} decides
 * instead, and the pool reports a `callback-failed` event.
 */
export type ReconnectPolicy = (attempt: ReconnectAttempt) => number | undefined

/** A policy that never waits: each failed attempt rejects one caller at once, and the next `acquire` tries again. */
export function reconnectNever(): ReconnectPolicy {
  return () => undefined
}

/**
 * A policy that waits the same time before every attempt.
 * @param delayMs in milliseconds, an integer from 1 to 2^31 - 1
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for a delay out of range
 */
export function reconnectFixed(delayMs: number): ReconnectPolicy {
  checkInteger('delayMs', delayMs, 1, LONGEST_DELAY_MS)
  return () => delayMs
}

/** Options of {@link reconnectExponential}. */
export interface ExponentialOptions {
  /** The longest delay after the first failure, in milliseconds; from 1 to `capMs`. @default 100 */
  readonly baseMs?: number | undefined
  /** The longest delay after any number of failures, in milliseconds; from 1 to 2^31 - 1. @default 10000 */
  readonly capMs?: number | undefined
  /** Returns random numbers from 0 up to, but not including, 1. @default Math.random */
  readonly random?: (() => number) | undefined
}

/**
 * A policy that waits a random time of up to `baseMs`, which doubles with each further failure, up to `capMs`. This is
 * exponential backoff with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): many clients of one
 * endpoint do not come back at the same moment.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown or out of range
 */
export function reconnectExponential(options: ExponentialOptions = {}): ReconnectPolicy {
  const {
    baseMs = 100,
    capMs = 10_000,
    random = Math.random,
  } = checkOptionNames('options', options, ['baseMs', 'capMs', 'random'])
  checkInteger('capMs', capMs, 1, LONGEST_DELAY_MS)
  checkInteger('baseMs', baseMs, 1, capMs)
  return ({ failures }) => Math.max(1, Math.ceil(random() * Math.min(capMs, baseMs * 2 ** (failures - 1))))
}
