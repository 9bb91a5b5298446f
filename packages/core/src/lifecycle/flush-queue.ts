/** Flushes: what waits until the transport has completed so many sends. */
import { WaitQueue } from '../driver/wait-queue.js'
import type { NettsError } from '../errors.js'
import type { Transport } from '../transport.js'

/** Counts a transport's completed sends while somebody waits for them. */
export class FlushQueue {
  readonly #transport: Transport
  readonly #waiting = new WaitQueue<void, number>('flush')
  #completedSends = 0

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Waits until the first `sends` sends that the transport accepted are complete. Call in the order of `sends`. */
  add(
    sends: number,
    signal: AbortSignal | undefined,
    resolve: () => void,
    reject: (error: NettsError) => void,
  ): void {
    this.#waiting.add(sends, signal, resolve, reject)
    this.settle()
  }

  /** Looks for completions, if anybody waits for them. */
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

  /** The transport is closed. @param error why what waits failed; without, everything had left */
  stop(error: NettsError | undefined): void {
    if (error) this.#waiting.rejectAll(error)
    else this.#waiting.resolveAll()
  }
}
