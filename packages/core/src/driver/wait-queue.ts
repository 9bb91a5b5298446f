/** Operations that wait in order; each can be cancelled by its AbortSignal. */
import { aborted, type NettsError } from '../errors.js'
import { type AbortSubscriber, subscribe, unsubscribe } from '../runtime/abort-signals.js'

/**
 * One waiting operation of a {@link WaitQueue}. It settles once, and then leaves the queue.
 *
 * @typeParam T what it resolves to
 * @typeParam D what the caller stores with it
 */
export class Waiter<T, D> implements AbortSubscriber {
  /** What the caller stored with the operation. */
  readonly detail: D
  /** @internal the neighbours in the queue */
  previous: Waiter<T, D> | undefined
  /** @internal */
  next: Waiter<T, D> | undefined
  readonly #queue: WaitQueue<T, D>
  readonly #resolve: (value: T | PromiseLike<T>) => void
  readonly #reject: (error: NettsError) => void
  #signal: AbortSignal | undefined

  /** @internal use {@link WaitQueue.wait} */
  constructor(
    queue: WaitQueue<T, D>,
    detail: D,
    signal: AbortSignal | undefined,
    resolve: (value: T | PromiseLike<T>) => void,
    reject: (error: NettsError) => void,
  ) {
    this.#queue = queue
    this.detail = detail
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    if (signal) subscribe(signal, this)
  }

  /** Resolves the operation, which leaves the queue. */
  resolve(value: T | PromiseLike<T>): void {
    this.#leave()
    this.#resolve(value)
  }

  /** Rejects the operation, which leaves the queue. */
  reject(error: NettsError): void {
    this.#leave()
    this.#reject(error)
  }

  /** Removes the operation from the queue without settling it. @returns the function that resolves it */
  leave(): (value: T | PromiseLike<T>) => void {
    this.#leave()
    return this.#resolve
  }

  /** From here on the signal does not cancel the operation. */
  ignoreSignal(): void {
    if (this.#signal) unsubscribe(this.#signal, this)
    this.#signal = undefined
  }

  /** The signal fired: rejects the operation with `ERR_NETTS_ABORTED`. */
  onAbort(): void {
    const signal = this.#signal as AbortSignal
    this.reject(aborted(signal, this.#queue.operation))
    this.#queue.onAbort?.(this.detail)
  }

  #leave(): void {
    this.ignoreSignal()
    this.#queue.remove(this)
  }
}

/**
 * Waiting operations of one kind, first come, first served.
 *
 * @typeParam T what they resolve to
 * @typeParam D what the caller stores with each of them
 */
export class WaitQueue<T, D = undefined> {
  /** The name of the operation in errors, such as `recv`. */
  readonly operation: string
  /** Called with the `detail` of an operation after its signal cancelled it. */
  readonly onAbort: ((detail: D) => void) | undefined
  #first: Waiter<T, D> | undefined
  #last: Waiter<T, D> | undefined
  #length = 0

  constructor(operation: string, onAbort?: (detail: D) => void) {
    this.operation = operation
    this.onAbort = onAbort
  }

  /** The number of operations that wait. */
  get length(): number {
    return this.#length
  }

  /** The operation that has waited longest. */
  get first(): Waiter<T, D> | undefined {
    return this.#first
  }

  /** The operation that came last. */
  get last(): Waiter<T, D> | undefined {
    return this.#last
  }

  /** Waits at the end of the queue. Rejects with `ERR_NETTS_ABORTED` when `signal` fires. */
  wait(detail: D, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(aborted(signal, this.operation))
    return new Promise((resolve, reject) => this.add(detail, signal, resolve, reject))
  }

  /** Like {@link wait}, with callbacks instead of a promise. @param signal must not be aborted yet */
  add(
    detail: D,
    signal: AbortSignal | undefined,
    resolve: (value: T | PromiseLike<T>) => void,
    reject: (error: NettsError) => void,
  ): Waiter<T, D> {
    const waiter = new Waiter(this, detail, signal, resolve, reject)
    waiter.previous = this.#last
    if (this.#last) this.#last.next = waiter
    else this.#first = waiter
    this.#last = waiter
    this.#length++
    return waiter
  }

  /** Resolves every operation. */
  resolveAll(value: T): void {
    while (this.#first) this.#first.resolve(value)
  }

  /** Rejects every operation. */
  rejectAll(error: NettsError): void {
    while (this.#first) this.#first.reject(error)
  }

  /** @internal */
  remove(waiter: Waiter<T, D>): void {
    if (waiter.previous) waiter.previous.next = waiter.next
    else this.#first = waiter.next
    if (waiter.next) waiter.next.previous = waiter.previous
    else this.#last = waiter.previous
    waiter.previous = waiter.next = undefined
    this.#length--
  }
}
