/** Finds borrowers that never give back, and says where they borrowed. */
import type { Transport } from '@netts/core'
import type { EndpointMember } from './endpoint-state.js'
import type { Lease } from './lease.js'

/** A connection that is lent, as the detector knows it. It must not hold the handle: it waits for its collection. */
interface Loan<T extends Transport, S> {
  readonly member: EndpointMember<T, S>
  readonly stack: string
  readonly sinceMs: number
  isTold: boolean
}

/** A loan that became a leak. */
export interface Leak<T extends Transport, S> {
  readonly member: EndpointMember<T, S>
  readonly stack: string
  readonly sinceMs: number
  /** Nobody has the handle any more. */
  readonly isCollected: boolean
}

/** Follows every loan of one pool: a stack trace each, so it costs microseconds. */
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

  /** @param caller the function behind which the trace begins */
  onLend(lease: Lease<T, S>, member: EndpointMember<T, S>, nowMs: number, stack: string): void {
    const loan = { member, stack, sinceMs: nowMs, isTold: false }
    this.#loans.add(loan)
    this.#byLease.set(lease, loan)
    this.#collected.register(lease, loan, lease)
  }

  onGiveBack(lease: Lease<T, S>): void {
    const loan = this.#byLease.get(lease)
    if (!loan) return
    this.#loans.delete(loan)
    this.#collected.unregister(lease)
  }

  /** Tells the loans that are overdue, once each. @returns when the next one is, or Infinity */
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

/** Where a connection is asked for. @param caller the function behind which the trace begins */
export function traceBorrower(caller: (...args: never[]) => unknown): string {
  const trace = { stack: '' }
  Error.captureStackTrace(trace, caller)
  return trace.stack.slice(trace.stack.indexOf('\n') + 1)
}
