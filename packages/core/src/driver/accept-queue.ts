/** What every listener needs: established connections waiting for `accept`, and `accept`s waiting for them. */
import { NettsError } from '../errors.js'
import type { AcceptOptions, Transport } from '../transport.js'
import { checkObject, checkSignal } from './options.js'
import { WaitQueue } from './wait-queue.js'

/** The queue between handshakes and `accept`, bounded by the backlog. */
export class AcceptQueue<T extends Transport> {
  readonly #backlog: number
  readonly #ready = new Set<T>()
  readonly #waiters = new WaitQueue<T | undefined>('accept')
  #closed = false
  #failure: NettsError | undefined

  /** @param backlog how many connections may wait */
  constructor(backlog: number) {
    this.#backlog = backlog
  }

  /** Connections nobody has accepted yet. */
  get length(): number {
    return this.#ready.size
  }

  /** How many more connections would be taken, those whose handshakes are in progress included. */
  get room(): number {
    return this.#closed ? 0 : this.#waiters.length + this.#backlog - this.#ready.size
  }

  /** Whether one more connection would be taken; if not, the driver rejects it. */
  get hasRoom(): boolean {
    return this.room > 0
  }

  /** Hands over an established connection. @returns `false` when there is no room, and it stays the driver's */
  push(transport: T): boolean {
    if (!this.hasRoom) return false
    if (this.#waiters.first) this.#waiters.first.resolve(transport)
    else this.#ready.add(transport)
    return true
  }

  /** See `TransportListener.accept`. */
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

  /** Ends it: waiting `accept`s get `undefined`, waiting connections are destroyed. Idempotent. */
  close(): void {
    this.#failure = undefined
    this.#end()
    for (const transport of this.#ready) {
      this.#ready.delete(transport)
      transport.destroy(new NettsError('ERR_NETTS_CLOSED', 'the listener was closed before accepting this'))
    }
  }

  /** The listener itself broke: waiting and later `accept`s reject, after the connections already waiting. */
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
