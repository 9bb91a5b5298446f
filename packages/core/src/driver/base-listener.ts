/** The part of a listener that is the same for every driver: the queue of `accept`, iteration and disposal. */
import type { Address } from '../address.js'
import { listenerErrorChannel } from '../diagnostics.js'
import type { NettsError } from '../errors.js'
import type { AcceptOptions, Transport, TransportListener } from '../transport.js'
import { AcceptQueue } from './accept-queue.js'

/**
 * The base class of drivers' listeners. The driver implements {@link address}, {@link stop}, {@link ref} and
 * {@link unref}, and pushes established connections into {@link queue}.
 */
export abstract class BaseListener<T extends Transport> implements TransportListener<T> {
  /** The address on which it listens, with the port that was chosen for port 0. */
  abstract readonly address: Address
  /** Established connections that were not accepted yet. */
  protected readonly queue: AcceptQueue<T>

  /** @param backlog how many connections may wait for `accept` */
  protected constructor(backlog: number) {
    this.queue = new AcceptQueue(backlog)
  }

  /** Stops listening. Each call of `close` calls it, so it must be idempotent. */
  protected abstract stop(): void
  /** Keeps the process alive while it listens. This is the initial state. */
  abstract ref(): void
  /** Lets the process exit while it listens. */
  abstract unref(): void

  accept(options?: AcceptOptions): Promise<T | undefined> {
    return this.queue.accept(options)
  }

  async close(): Promise<void> {
    this.stop()
    this.queue.close()
  }

  /** Accepts connections until the listener is closed. Throws the error that broke the listener. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (let transport = await this.accept(); transport; transport = await this.accept()) yield transport
  }

  /** Closes the listener. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Reports that a connection could not be accepted, because file descriptors or memory ran out. `accept` continues. */
  protected onAcceptError(error: NettsError): void {
    if (listenerErrorChannel.hasSubscribers) listenerErrorChannel.publish({ address: this.address, error })
    else process.emitWarning(error)
  }

  /** Reports that a client's handshake failed. There is no process warning, since any client can cause this. */
  protected onHandshakeError(error: NettsError): void {
    if (listenerErrorChannel.hasSubscribers) listenerErrorChannel.publish({ address: this.address, error })
  }
}
