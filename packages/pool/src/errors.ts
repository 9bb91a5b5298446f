/** The errors of a pool. Each has the counters of the pool in its message, and the error of an endpoint as its cause. */
import { type Address, formatAddress, NettsError } from '@netts/core'

/** The counters in the message of an error. */
export interface PoolCounts {
  readonly idle: number
  readonly lent: number
  readonly connecting: number
  readonly waiting: number
}

/** The last error, of an endpoint or of the list of endpoints. */
export interface EndpointError {
  readonly endpoint: Address | undefined
  readonly error: NettsError
}

/** Adds the counters of the pool to an error, and the last error of an endpoint as its cause, unless it has one. */
export function explained(
  error: NettsError,
  counts: PoolCounts,
  last: EndpointError | undefined,
): NettsError {
  const { idle, lent, connecting, waiting } = counts
  const numbers = `idle ${idle}, lent ${lent}, connecting ${connecting}, waiting ${waiting}`
  const where = last?.endpoint ? ` of ${formatAddress(last.endpoint)}` : ''
  const why = last ? `; last error${where}: ${last.error.message}` : ''
  const address = error.address ?? last?.endpoint
  return new NettsError(error.code, `${error.message} (${numbers})${why}`, {
    operation: error.operation ?? 'acquire',
    cause: error.cause ?? last?.error,
    ...(address && { address }),
  })
}

/** The error for a function of the program that threw, or returned something that is not allowed. */
export function callbackError(callback: string, what: string, cause?: unknown): NettsError {
  return new NettsError('ERR_NETTS_INTERNAL', `the pool's ${callback} ${what}`, {
    cause,
    operation: callback,
  })
}

/** The message of what a function of the program threw. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
