/** Finds borrowers that do not give their connection back, with the stack of their `acquire`. */
import type { Transport } from '@netts/core'
import type { EndpointMember } from './endpoint-state.js'
import type { Lease } from './lease.js'

/** A loan. It must not refer to the handle, whose garbage collection the detector waits for. */
interface Loan<T extends Transport, S> {
  readonly member: EndpointMember<T, S>
  readonly stack: string
  readonly sinceMs: number
  isTold: boolean
}

/** A loan that is reported as a leak. */
export interface Leak<T extends Transport, S> {
  readonly member: EndpointMember<T, S>
  /** The stack of the call that acquired it. */
  readonly stack: string
  /** When it was lent, on the monotonic clock. */
  readonly sinceMs: number
  /** Whether the handle was garbage-collected. */
  readonly isCollected: boolean
}

/** Follows every loan of one pool. Each loan records a stack trace, which takes some microseconds. */
export class LeakDetector<T extends Transport, S> {
  readonly #leakAfterMs: number
  readonly #onLeak: (leak: Leak<T, S>) => void
  readonly #loans = new Set<Loan<T, S>>()
  readonly #byLease = new WeakMap<Lease<T, S>, Loan<T, S>>()
  readonly #collected = new FinalizationRegistry<Loan<T, S>>((loan) => {
    if (this.#loans.delete(loan)) this.#onLeak({ ...loan, isCollected: true })
  })

  constructor(leakAfterMs: number, onLeak: (leak: Leak<T, S>) => void) {
    this.#leakAfterMs = leakAfterMs
    this.#onLeak = onLeak
  }

  /** A connection was lent. @param stack the stack of the call that acquired it */
  onLend(lease: Lease<T, S>, member: EndpointMember<T, S>, nowMs: number, stack: string): void {
    const loan = { member, stack, sinceMs: nowMs, isTold: false }
    this.#loans.add(loan)
    this.#byLease.set(lease, loan)
    this.#collected.register(lease, loan, lease)
  }

  /** A connection was given back. */
  onGiveBack(lease: Lease<T, S>): void {
    const loan = this.#byLease.get(lease)
    if (!loan) return
    this.#loans.delete(loan)
    this.#collected.unregister(lease)
  }

  /** Reports overdue loans, each once. @returns when the next one is overdue, on the monotonic clock, or Infinity */
  check(nowMs: number): number {
    let nextMs = Infinity
    for (const loan of this.#loans) {
      if (loan.isTold) continue
      const dueMs = loan.sinceMs + this.#leakAfterMs
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs, dueMs)
      } else {
        loan.isTold = true
        this.#onLeak({ ...loan, isCollected: false })
      }
    }
    return nextMs
  }
}

/** The stack of the program's call. @param caller the function of the pool that was called; it is not in the stack */
export function traceBorrower(caller: (...args: never[]) => unknown): string {
  const trace = { stack: '' }
  Error.captureStackTrace(trace, caller)
  return trace.stack.slice(trace.stack.indexOf('\n') + 1)
}
