/** What an error says about an endpoint. */
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

/** Too many files, no memory, no local port or address, not permitted, no network at all. */
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

/** No later attempt can do better. */
const HOPELESS_CODES: ReadonlySet<unknown> = new Set([
  'ERR_NETTS_INVALID_ARGUMENT',
  'ERR_NETTS_UNAVAILABLE',
  'ERR_NETTS_UNSUPPORTED',
])

/** Whether it makes no sense that a caller waits for another attempt. */
export function isHopeless(error: NettsError): boolean {
  return HOPELESS_CODES.has(error.code)
}

/**
 * Whether an error is this machine's or this program's fault: then it says nothing about the endpoint. Looks at the causes
 * too, up to ten deep.
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
