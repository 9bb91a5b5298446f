/** A listener within a mock network. */
import type { AcceptOptions, Address, Transport, TransportListener } from '@netts/core'
import { AcceptQueue } from '@netts/core/driver'
import type { LinkEnd } from './link.js'

/** Waits for clients of its network. */
export class MockListener implements TransportListener {
  readonly address: Address
  /** What connections accepted here are made of. */
  readonly end: LinkEnd
  readonly queue: AcceptQueue<Transport>
  readonly #onClose: () => void

  constructor(end: LinkEnd, backlog: number, onClose: () => void) {
    this.address = end.address
    this.end = end
    this.queue = new AcceptQueue(backlog)
    this.#onClose = onClose
  }

  async accept(options?: AcceptOptions): Promise<Transport | undefined> {
    return this.queue.accept(options)
  }

  async close(): Promise<void> {
    this.#onClose()
    this.queue.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  [Symbol.asyncIterator](): AsyncIterator<Transport> {
    return this.queue[Symbol.asyncIterator]()
  }
}
