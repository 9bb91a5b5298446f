/** Callers that wait for a connection: first come, first served, each with its deadline and signal. */
import type { NettsError } from '@netts/core'
import {
  aborted,
  afterPendingInput,
  type ClockTimer,
  timedOut,
  type Waiter,
  WaitQueue,
} from '@netts/core/driver'
import type { PoolTime } from './time.js'

/** A caller that waits. */
interface Wait {
  /** When it began to wait, on the monotonic clock. */
  readonly sinceMs: number
  /** The stack of the caller, if borrowers are traced. */
  readonly stack: string | undefined
  timer: ClockTimer | undefined
}

/** How long a caller waits. */
export interface WaitLimits {
  readonly signal: AbortSignal | undefined
  /** 0 disables the deadline. */
  readonly timeoutMs: number
}

/** What a queue calls in its owner. */
export interface WaitersOwner {
  /**
   * Adds the counters of the pool and the cause to the error of a wait that failed.
   * @param sinceMs when the wait began, on the monotonic clock
   */
  explain(error: NettsError, sinceMs: number): NettsError
  /** A caller begins to wait. */
  onWait(): void
  /** A caller no longer waits, for any reason. */
  onLeave(): void
}

/** A queue of callers. @typeParam L what they wait for */
export class Waiters<L> {
  readonly #time: PoolTime
  readonly #owner: WaitersOwner
  readonly #queue: WaitQueue<L, Wait>

  constructor(operation: string, time: PoolTime, owner: WaitersOwner) {
    this.#time = time
    this.#owner = owner
    this.#queue = new WaitQueue<L, Wait>(operation, (wait) => this.#onLeave(wait))
  }

  get length(): number {
    return this.#queue.length
  }

  /**
   * Waits at the end of the queue. Rejects with `ERR_NETTS_TIMEOUT` or `ERR_NETTS_ABORTED`.
   * @param stack the stack of the caller, if borrowers are traced
   */
  wait({ signal, timeoutMs }: WaitLimits, stack?: string): Promise<L> {
    const { operation } = this.#queue
    if (signal?.aborted)
      return Promise.reject(this.#owner.explain(aborted(signal, operation), this.#time.nowMs()))
    this.#owner.onWait()
    return new Promise((resolve, reject) => {
      const wait: Wait = { sinceMs: this.#time.nowMs(), stack, timer: undefined }
      const waiter = this.#queue.add(wait, signal, resolve, (error) =>
        reject(this.#owner.explain(error, wait.sinceMs)),
      )
      if (timeoutMs === 0) return
      wait.timer = this.#time.setTimer(() => {
        // While the program was busy, a connection may have become ready that was not seen yet.
        wait.timer = afterPendingInput(this.#time, () => this.#reject(waiter, timedOut(operation, timeoutMs)))
      }, timeoutMs)
    })
  }

  /** Serves the caller that has waited longest. @returns how long it waited, in milliseconds */
  serve(make: (stack: string | undefined) => L): number {
    const waiter = this.#queue.first as Waiter<L, Wait>
    const { sinceMs, stack } = waiter.detail
    waiter.resolve(make(stack))
    this.#onLeave(waiter.detail)
    return this.#time.nowMs() - sinceMs
  }

  /** Rejects the caller that has waited longest. */
  rejectFirst(error: NettsError): void {
    if (this.#queue.first) this.#reject(this.#queue.first, error)
  }

  /** Rejects the caller that came last. */
  rejectLast(error: NettsError): void {
    if (this.#queue.last) this.#reject(this.#queue.last, error)
  }

  rejectAll(error: () => NettsError): void {
    while (this.#queue.first) this.#reject(this.#queue.first, error())
  }

  #reject(waiter: Waiter<L, Wait>, error: NettsError): void {
    waiter.reject(error)
    this.#onLeave(waiter.detail)
  }

  #onLeave(wait: Wait): void {
    wait.timer?.close()
    this.#owner.onLeave()
  }
}
