/** Operations that wait in order, each cancellable through its AbortSignal. */
import { aborted, type NettsError } from '../errors.js'
import { type AbortSubscriber, subscribe, unsubscribe } from '../runtime/abort-signals.js'

/** One waiting operation. It settles once, and leaves its queue by that. */
export class Waiter<T, D> implements AbortSubscriber {
  /** What the caller stored with the wait. */
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

  /** Ends the wait with a value, and leaves the queue. */
  resolve(value: T | PromiseLike<T>): void {
    this.#leave()
    this.#resolve(value)
  }

  /** Ends the wait with an error, and leaves the queue. */
  reject(error: NettsError): void {
    this.#leave()
    this.#reject(error)
  }

  /** Leaves the queue without settling. @returns what resolves it */
  leave(): (value: T | PromiseLike<T>) => void {
    this.#leave()
    return this.#resolve
  }

  /** From here on the operation can't be cancelled any more. */
  ignoreSignal(): void {
    if (this.#signal) unsubscribe(this.#signal, this)
    this.#signal = undefined
  }

  /** Its signal was aborted: rejects it. */
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
 * Waiting operations of one kind, first come first served.
 *
 * @typeParam T what they resolve to
 * @typeParam D what is known of each while it waits
 */
export class WaitQueue<T, D = undefined> {
  /** Named in errors, such as `recv`. */
  readonly operation: string
  /** Called with the detail of a waiter after its signal cancelled it. */
  readonly onAbort: ((detail: D) => void) | undefined
  #first: Waiter<T, D> | undefined
  #last: Waiter<T, D> | undefined
  #length = 0

  constructor(operation: string, onAbort?: (detail: D) => void) {
    this.operation = operation
    this.onAbort = onAbort
  }

  /** The number of waits. */
  get length(): number {
    return this.#length
  }

  /** The one that has waited longest. */
  get first(): Waiter<T, D> | undefined {
    return this.#first
  }

  /** The one that came last. */
  get last(): Waiter<T, D> | undefined {
    return this.#last
  }

  /** Waits at the end of the queue. Rejects with `ERR_NETTS_ABORTED` once `signal` says so. */
  wait(detail: D, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(aborted(signal, this.operation))
    return new Promise((resolve, reject) => this.add(detail, signal, resolve, reject))
  }

  /** Like {@link wait}, settling through callbacks. @param signal one that is not aborted yet */
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

  /** Ends every wait with a value. */
  resolveAll(value: T): void {
    while (this.#first) this.#first.resolve(value)
  }

  /** Ends every wait with an error. */
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
