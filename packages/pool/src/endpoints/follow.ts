/** Follows lists of endpoints as they come. One that fails is asked again, and the list before stays. */
import { isNettsError, NettsError } from '@netts/core'
import type { ClockTimer } from '@netts/core/driver'
import { messageOf } from '../errors.js'
import { reconnectExponential } from '../policy/backoff.js'
import type { PoolTime } from '../time.js'

/** Where lists go. */
export interface EndpointListener<L> {
  /** @throws NettsError when it is no list of endpoints */
  onList(list: L): void
  /** They could not be looked up. */
  onError(error: NettsError): void
}

/** Goes on until it is stopped, or the lists end: then the last one stays. */
export class EndpointFollower<L> {
  readonly #lists: AsyncIterable<L>
  readonly #time: PoolTime
  readonly #listener: EndpointListener<L>
  readonly #retryDelay = reconnectExponential({ baseMs: 1000, capMs: 30_000 })
  #iterator: AsyncIterator<L> | undefined
  #failures = 0
  #timer: ClockTimer | undefined
  #isStopped = false
  /** Why there is no list; `undefined` since one came. */
  lastError: NettsError | undefined

  constructor(lists: AsyncIterable<L>, time: PoolTime, listener: EndpointListener<L>) {
    this.#lists = lists
    this.#time = time
    this.#listener = listener
  }

  start(): void {
    this.#follow().catch((error: unknown) => this.#onError(error))
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.close()
    this.#leave()
  }

  async #follow(): Promise<void> {
    const iterator = this.#lists[Symbol.asyncIterator]()
    this.#iterator = iterator
    while (!this.#isStopped) {
      const next = await iterator.next()
      if (next.done || this.#isStopped) return
      this.#listener.onList(next.value)
      this.#failures = 0
      this.lastError = undefined
      // An iterable that never waits must not keep the event loop for itself.
      await new Promise<void>((resolve) => this.#time.setImmediate(resolve))
    }
  }

  #onError(thrown: unknown): void {
    if (this.#isStopped) return
    this.#leave()
    const error = isNettsError(thrown)
      ? thrown
      : new NettsError('ERR_NETTS_CONNECT_FAILED', `no list of endpoints: ${messageOf(thrown)}`, {
          cause: thrown,
          operation: 'endpoints',
        })
    this.lastError = error
    this.#failures++
    const delayMs = this.#retryDelay({ failures: this.#failures, endpoint: { path: '' }, error }) as number
    this.#timer = this.#time.setTimer(() => this.start(), delayMs)
    this.#listener.onError(error)
  }

  /** Lets the iterable clean up. What it does then matters no more. */
  #leave(): void {
    const iterator = this.#iterator
    this.#iterator = undefined
    Promise.resolve()
      .then(() => iterator?.return?.())
      .catch(() => {})
  }
}
