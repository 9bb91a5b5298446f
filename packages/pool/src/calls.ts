/** Calls of the program's functions about one connection, each with a deadline and an abort signal. */
import type { Address } from '@netts/core'
import { withDeadline } from '@netts/core/driver'
import type { CallContext } from './options.js'
import type { PoolTime } from './time.js'

/** What a call is about, and what ends it. */
export interface CallLimits {
  /** The function's name, for errors. */
  readonly operation: string
  readonly endpoint: Address
  /** 0 disables the deadline. */
  readonly timeoutMs: number
  /** Cancels the call. */
  readonly signal: AbortSignal
  readonly time: PoolTime
}

/**
 * Calls a function of the program. Rejects with what it throws, with `ERR_NETTS_TIMEOUT`, or with `ERR_NETTS_ABORTED`; the
 * result of a call that ends later is ignored.
 */
export function callWithDeadline<R>(
  { operation, endpoint, timeoutMs, signal, time }: CallLimits,
  call: (context: CallContext) => R | PromiseLike<R>,
): Promise<R> {
  const abort = new AbortController()
  return withDeadline<R>({
    operation,
    address: endpoint,
    timeoutMs,
    signal,
    clock: time,
    start: async (ended) => {
      ended.onabort = () => abort.abort(ended.reason)
      return call({ endpoint, signal: abort.signal })
    },
    dispose: () => {},
  })
}
