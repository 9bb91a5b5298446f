/** Whether an error is the endpoint's fault, and whether another attempt can help. */
import { isNettsError, type NettsError } from '@netts/core'

const LOCAL_CODES: ReadonlySet<unknown> = new Set([
  'ERR_NETTS_ABORTED',
  'ERR_NETTS_CLOSED',
  'ERR_NETTS_DESTROYED',
  'ERR_NETTS_INTERNAL',
  'ERR_NETTS_INVALID_ARGUMENT',
  'ERR_NETTS_INVALID_STATE',
  'ERR_NETTS_POOL_EXHAUSTED',
  'ERR_NETTS_UNAVAILABLE',
  'ERR_NETTS_UNSUPPORTED',
])

/**
 * Errors of this machine (errno(3)): too many files, no memory, no local port or address, no permission, network down.
 */
const LOCAL_ERRNOS: ReadonlySet<unknown> = new Set([
  'EACCES',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENETDOWN',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
])

/** Codes with which every later attempt would fail in the same way. */
const HOPELESS_CODES: ReadonlySet<unknown> = new Set([
  'ERR_NETTS_INVALID_ARGUMENT',
  'ERR_NETTS_UNAVAILABLE',
  'ERR_NETTS_UNSUPPORTED',
])

/** Whether every later attempt would fail in the same way, so that a caller need not wait for one. */
export function isHopeless(error: NettsError): boolean {
  return HOPELESS_CODES.has(error.code)
}

/**
 * Whether the cause of an error is on this machine or in this program, so that it says nothing about the endpoint. Follows
 * the chain of `cause`, up to ten errors.
 */
export function isLocalCause(error: unknown): boolean {
  let cause = error
  for (let depth = 0; depth < 10 && typeof cause === 'object' && cause !== null; depth++) {
    const { code } = cause as { code?: unknown }
    if (LOCAL_ERRNOS.has(code) || (isNettsError(cause) && LOCAL_CODES.has(code))) return true
    cause = (cause as { cause?: unknown }).cause
  }
  return false
}
