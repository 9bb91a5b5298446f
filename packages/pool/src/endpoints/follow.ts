/** Follows an AsyncIterable of lists of endpoints. After a failure it iterates anew, and the last list stays. */
import { isNettsError, NettsError } from '@netts/core'
import type { ClockTimer } from '@netts/core/driver'
import { messageOf } from '../errors.js'
import { reconnectExponential } from '../policy/backoff.js'
import type { PoolTime } from '../time.js'

/** What a follower calls. */
export interface EndpointListener<L> {
  /** A new list came. @throws NettsError when it is not a valid list of endpoints */
  onList(list: L): void
  /** The iteration failed. The follower tries again. */
  onError(error: NettsError): void
}

/** Follows an AsyncIterable until it ends or the follower is stopped. */
export class EndpointFollower<L> {
  readonly #lists: AsyncIterable<L>
  readonly #time: PoolTime
  readonly #listener: EndpointListener<L>
  readonly #retryDelay = reconnectExponential({ baseMs: 1000, capMs: 30_000 })
  #iterator: AsyncIterator<L> | undefined
  #failures = 0
  #timer: ClockTimer | undefined
  #isStopped = false
  /** The last failure; `undefined` once a list came after it. */
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
      // An iterable that never waits must not block the event loop.
      await new Promise<void>((resolve) => this.#time.setImmediate(resolve))
    }
  }

  #onError(thrown: unknown): void {
    if (this.#isStopped) return
    this.#leave()
    const error = isNettsError(thrown)
      ? thrown
      : new NettsError('ERR_NETTS_CONNECT_FAILED', `the iterable of endpoints failed: ${messageOf(thrown)}`, {
          cause: thrown,
          operation: 'endpoints',
        })
    this.lastError = error
    this.#failures++
    const delayMs = this.#retryDelay({ failures: this.#failures, endpoint: { path: '' }, error }) as number
    this.#timer = this.#time.setTimer(() => this.start(), delayMs)
    this.#listener.onError(error)
  }

  /** Lets the iterable clean up. Its result and its errors are ignored. */
  #leave(): void {
    const iterator = this.#iterator
    this.#iterator = undefined
    Promise.resolve()
      .then(() => iterator?.return?.())
      .catch(() => {})
  }
}
