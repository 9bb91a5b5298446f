/** What every listener does alike: the queue of connections that wait to be accepted, iteration, and disposal. */
import type { Address } from '../address.js'
import { listenerErrorChannel } from '../diagnostics.js'
import type { NettsError } from '../errors.js'
import type { AcceptOptions, Transport, TransportListener } from '../transport.js'
import { AcceptQueue } from './accept-queue.js'

/** A {@link TransportListener} without a wire: a driver extends it, and pushes what it established. */
export abstract class BaseListener<T extends Transport> implements TransportListener<T> {
  abstract readonly address: Address
  /** Established connections that nobody has accepted yet. */
  protected readonly queue: AcceptQueue<T>

  /** @param backlog how many connections may wait */
  protected constructor(backlog: number) {
    this.queue = new AcceptQueue(backlog)
  }

  /** Stops listening. Called by every `close`. */
  protected abstract stop(): void
  abstract ref(): void
  abstract unref(): void

  accept(options?: AcceptOptions): Promise<T | undefined> {
    return this.queue.accept(options)
  }

  async close(): Promise<void> {
    this.stop()
    this.queue.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let transport = await this.accept(); transport; transport = await this.accept()) yield transport
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A connection could not be accepted, for want of files or memory. The next one may: `accept` goes on. */
  protected onAcceptError(error: NettsError): void {
    if (listenerErrorChannel.hasSubscribers) listenerErrorChannel.publish({ address: this.address, error })
    else process.emitWarning(error)
  }

  /** A client connected, and what has to follow failed. It is the client's affair, and no warning: anybody can do that. */
  protected onHandshakeError(error: NettsError): void {
    if (listenerErrorChannel.hasSubscribers) listenerErrorChannel.publish({ address: this.address, error })
  }
}
