/** The errors of a pool: each names its numbers, and the endpoint's error that led to it. */
import { type Address, formatAddress, NettsError } from '@netts/core'

/** The numbers that an error names. */
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

/** Gives an error the numbers of the pool, and as its cause, unless it has one, an endpoint's last error. */
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

/** What a function of the program's threw, or returned wrongly, as an error. */
export function callbackError(callback: string, what: string, cause?: unknown): NettsError {
  return new NettsError('ERR_NETTS_INTERNAL', `the pool's ${callback} ${what}`, {
    cause,
    operation: callback,
  })
}

/** What a function of the program's threw, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
