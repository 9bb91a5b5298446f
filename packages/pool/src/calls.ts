/** Calls of the program's functions about one connection: each with a deadline, and a signal that ends it. */
import type { Address } from '@netts/core'
import { withDeadline } from '@netts/core/driver'
import type { CallContext } from './options.js'
import type { PoolTime } from './time.js'

/** How long a call may take, and what it is about. */
export interface CallLimits {
  /** The function's name, for errors. */
  readonly operation: string
  readonly endpoint: Address
  /** 0 has no deadline. */
  readonly timeoutMs: number
  /** Ends the call. */
  readonly signal: AbortSignal
  readonly time: PoolTime
}

/** Rejects as the call does, or when its time is over or its signal says so; what the call does then matters no more. */
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
