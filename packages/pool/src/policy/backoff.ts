/** When to try an endpoint again after a failure: the policies that ship, and the shape of a user's own. */
import type { Address, NettsError } from '@netts/core'
import { checkInteger, checkOptionNames } from '@netts/core/driver'

/** The longest that a timer can wait: 2^31 - 1 ms, about 24.8 days. */
const LONGEST_DELAY_MS = 0x7fffffff

/** What a policy is asked about: an endpoint that could not be connected to. */
export interface ReconnectAttempt {
  /** How many rounds failed in a row at this endpoint, this one included: from 1. Concurrent failures are one round. */
  readonly failures: number
  readonly endpoint: Address
  /** Why this round failed. */
  readonly error: NettsError
}

/**
 * Decides how many milliseconds to wait before the next attempt at an endpoint, of at least 1.
 *
 * `undefined` does not wait: the longest waiting caller fails with the cause, and the next call tries again.
 */
export type ReconnectPolicy = (attempt: ReconnectAttempt) => number | undefined

/** Never tries again by itself: each failed attempt fails one caller at once. */
export function reconnectNever(): ReconnectPolicy {
  return () => undefined
}

/**
 * Waits the same time before every attempt.
 * @param delayMs in milliseconds, at least 1
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`
 */
export function reconnectFixed(delayMs: number): ReconnectPolicy {
  checkInteger('delayMs', delayMs, 1, LONGEST_DELAY_MS)
  return () => delayMs
}

/** Options of {@link reconnectExponential}. */
export interface ExponentialOptions {
  /** The most that is waited after the first failure, in milliseconds. @default 100 */
  readonly baseMs?: number | undefined
  /** The most that is ever waited, in milliseconds. @default 10000 */
  readonly capMs?: number | undefined
  /** Where chance comes from: from 0 up to, and without, 1. @default Math.random */
  readonly random?: (() => number) | undefined
}

/**
 * Waits a random time up to a limit that doubles with each failure (exponential backoff with full jitter), so that many
 * clients of one endpoint do not come back at the same moment.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`
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
