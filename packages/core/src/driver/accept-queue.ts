/** The queue of a listener: established connections that wait for `accept`, and calls of `accept` that wait for them. */
import { NettsError } from '../errors.js'
import type { AcceptOptions, Transport } from '../transport.js'
import { checkObject, checkSignal } from './options.js'
import { WaitQueue } from './wait-queue.js'

/**
 * The queue between handshakes and `accept`, bounded by the backlog. {@link BaseListener} has one; the driver pushes
 * connections into it.
 */
export class AcceptQueue<T extends Transport> {
  readonly #backlog: number
  readonly #ready = new Set<T>()
  readonly #waiters = new WaitQueue<T | undefined>('accept')
  #closed = false
  #failure: NettsError | undefined

  /** @param backlog how many connections may wait for `accept` */
  constructor(backlog: number) {
    this.#backlog = backlog
  }

  /** The number of connections that wait for `accept`. */
  get length(): number {
    return this.#ready.size
  }

  /** How many more connections {@link push} would take now: the calls that wait, and what is left of the backlog. */
  get room(): number {
    return this.#closed ? 0 : this.#waiters.length + this.#backlog - this.#ready.size
  }

  /** Whether {@link push} would take one more connection now. If not, the driver should reject it. */
  get hasRoom(): boolean {
    return this.room > 0
  }

  /** Hands over an established connection. @returns `false` when there is no room; the connection then remains the driver's */
  push(transport: T): boolean {
    if (!this.hasRoom) return false
    if (this.#waiters.first) this.#waiters.first.resolve(transport)
    else this.#ready.add(transport)
    return true
  }

  /** Implements {@link TransportListener.accept}. */
  async accept(options: AcceptOptions = {}): Promise<T | undefined> {
    const signal = checkSignal(checkObject('options', options).signal)
    if (!signal?.aborted) {
      const [transport] = this.#ready
      if (transport) {
        this.#ready.delete(transport)
        return transport
      }
      if (this.#failure) throw this.#failure
      if (this.#closed) return undefined
    }
    return this.#waiters.wait(undefined, signal)
  }

  /** Closes the queue: calls that wait resolve to `undefined`, connections that wait are destroyed. Idempotent. */
  close(): void {
    this.#failure = undefined
    this.#end()
    for (const transport of this.#ready) {
      this.#ready.delete(transport)
      transport.destroy(
        new NettsError('ERR_NETTS_CLOSED', 'the listener was closed before it accepted this connection', {
          operation: 'accept',
        }),
      )
    }
  }

  /**
   * The listener failed: calls of `accept` that wait reject with the error, and later ones when the connections that wait
   * have been accepted.
   */
  fail(error: NettsError): void {
    this.#failure ??= error
    this.#end()
  }

  #end(): void {
    this.#closed = true
    if (this.#failure) this.#waiters.rejectAll(this.#failure)
    else this.#waiters.resolveAll(undefined)
  }
}
