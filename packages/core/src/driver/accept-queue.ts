/** What every listener needs: established connections waiting for `accept`, and `accept`s waiting for them. */
import { aborted, NettsError } from '../errors.js'
import type { AcceptOptions, Transport } from '../transport.js'

interface Waiter<T> {
  resolve(transport: T | undefined): void
  reject(error: NettsError): void
}

/** The queue between handshakes and `accept`, bounded by the backlog. */
export class AcceptQueue<T extends Transport> implements AsyncIterable<T> {
  readonly #backlog: number
  readonly #ready: T[] = []
  readonly #waiters = new Set<Waiter<T>>()
  #closed = false
  #failure: NettsError | undefined

  /** @param backlog how many connections may wait */
  constructor(backlog: number) {
    this.#backlog = backlog
  }

  /** Connections nobody has accepted yet. */
  get length(): number {
    return this.#ready.length
  }

  /** Whether one more connection would be taken; if not, the driver rejects it. */
  get hasRoom(): boolean {
    return !this.#closed && (this.#waiters.size > 0 || this.#ready.length < this.#backlog)
  }

  /** Hands over an established connection. @returns `false` when there is no room, and it stays the driver's */
  push(transport: T): boolean {
    if (!this.hasRoom) return false
    const [waiter] = this.#waiters
    if (waiter) {
      this.#waiters.delete(waiter)
      waiter.resolve(transport)
    } else {
      this.#ready.push(transport)
    }
    return true
  }

  /** See `TransportListener.accept`. */
  accept(options: AcceptOptions = {}): Promise<T | undefined> {
    const { signal } = options
    if (signal?.aborted) return Promise.reject(aborted(signal, 'accept'))
    const transport = this.#ready.shift()
    if (transport) return Promise.resolve(transport)
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const settled = () => signal?.removeEventListener('abort', onAbort)
      const waiter: Waiter<T> = {
        resolve: (transport) => {
          settled()
          resolve(transport)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      }
      const onAbort = () => {
        this.#waiters.delete(waiter)
        waiter.reject(aborted(signal as AbortSignal, 'accept'))
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  /** Ends it: waiting `accept`s get `undefined`, waiting connections are destroyed. Idempotent. */
  close(): void {
    this.#end()
    for (const transport of this.#ready.splice(0)) {
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
    for (const waiter of this.#waiters) {
      if (this.#failure) waiter.reject(this.#failure)
      else waiter.resolve(undefined)
    }
    this.#waiters.clear()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let transport = await this.accept(); transport; transport = await this.accept()) yield transport
  }
}
