/** Callers that wait for a connection: first come first served, each with its deadline and signal. */

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

/** What is known of a caller while it waits. */
interface Wait {
  readonly sinceMs: number
  /** Where it was asked for, if that is known. */
  readonly stack: string | undefined
  timer: ClockTimer | undefined
}

/** How long a caller waits. */
export interface WaitLimits {
  readonly signal: AbortSignal | undefined
  /** 0 waits for ever. */
  readonly timeoutMs: number
}

/** What a queue tells its owner. */
export interface WaitersOwner {
  /**
   * Gives the error of a wait that failed the numbers and the cause.
   * @param sinceMs when it began, on the monotonic clock
   */
  explain(error: NettsError, sinceMs: number): NettsError
  /** A caller waits. */
  onWait(): void
  /** It does not wait any more, for whichever reason. */
  onLeave(): void
}

/** @typeParam L what they wait for */
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

  /** Waits. Rejects when its time is over or its signal says so. @param stack where it was asked for, if that is known */
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
        // A program that was busy may have a connection waiting to be taken in.
        wait.timer = afterPendingInput(this.#time, () => this.#reject(waiter, timedOut(operation, timeoutMs)))
      }, timeoutMs)
    })
  }

  /** Serves the one that has waited longest. @returns how long it waited, in milliseconds */
  serve(make: (stack: string | undefined) => L): number {
    const waiter = this.#queue.first as Waiter<L, Wait>
    const { sinceMs, stack } = waiter.detail
    waiter.resolve(make(stack))
    this.#onLeave(waiter.detail)
    return this.#time.nowMs() - sinceMs
  }

  rejectFirst(error: NettsError): void {
    if (this.#queue.first) this.#reject(this.#queue.first, error)
  }

  /** Refuses the one that came last. */
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
