/** Flushes: operations that wait until the transport has completed a number of sends. */
import { WaitQueue } from '../driver/wait-queue.js'
import type { NettsError } from '../errors.js'
import type { Transport } from '../transport.js'

/** Operations that wait until the transport has completed a number of sends, which it counts meanwhile. */
export class FlushQueue {
  readonly #transport: Transport
  readonly #waiting = new WaitQueue<void, number>('flush')
  #completedSends = 0

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Waits until the first `sends` sends that the transport accepted are complete, and then calls `resolve`; calls `reject`
   * with `ERR_NETTS_ABORTED`, or the error of {@link stop}. `sends` must not decrease from call to call.
   */
  add(
    sends: number,
    signal: AbortSignal | undefined,
    resolve: () => void,
    reject: (error: NettsError) => void,
  ): void {
    this.#waiting.add(sends, signal, resolve, reject)
    this.settle()
  }

  /** Polls completions if an operation waits, and resolves those that are complete. */
  settle(): void {
    if (this.#waiting.length === 0) return
    for (let count = 1; count > 0; ) {
      count = this.#transport.pollSendCompletion()
      this.#completedSends += count
    }
    for (let waiter = this.#waiting.first; waiter; waiter = this.#waiting.first) {
      if (this.#completedSends < waiter.detail) return
      waiter.resolve()
    }
  }

  /** The transport is closed: rejects everything that waits with `error`; resolves it without an error. */
  stop(error: NettsError | undefined): void {
    if (error) this.#waiting.rejectAll(error)
    else this.#waiting.resolveAll()
  }
}
