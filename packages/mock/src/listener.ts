/** A listener within a mock network. */
import type { Address } from '@netts/core'
import { BaseListener } from '@netts/core/driver'
import type { LinkEnd } from './link.js'
import { Presence } from './presence.js'
import type { MockTransport } from './transport.js'

/** A listener within a mock network. */
export class MockListener extends BaseListener<MockTransport> {
  readonly address: Address
  /** The configuration of the accepted connections. */
  readonly end: LinkEnd
  readonly #onStop: () => void
  readonly #presence = new Presence()

  constructor(end: LinkEnd, backlog: number, onStop: () => void) {
    super(backlog)
    this.address = end.address
    this.end = end
    this.#onStop = onStop
  }

  get hasRoom(): boolean {
    return this.queue.hasRoom
  }

  /** Hands over an established connection; only with {@link hasRoom}. */
  push(transport: MockTransport): void {
    this.queue.push(transport)
  }

  protected stop(): void {
    this.#presence.end()
    this.#onStop()
  }

  ref(): void {
    this.#presence.ref()
  }

  unref(): void {
    this.#presence.unref()
  }
}
