/**
 * Posts the receives that are wanted, by the batch, and gives memory back that is not needed any more.
 *
 * How many are wanted is `protocol/receive-window.ts`'s decision. A connection that has grown looks once a second
 * whether it may shrink; one that has not has no timer.
 */
import type { Clock } from '@netts/core/driver'
import { dueAt, receivesFor, type SendBuffers } from '@netts/verbs/endpoint'
import type { ProtocolEnd } from './protocol/protocol-end.js'
import type { ReceiveBuffers } from './receive-buffers.js'

/** How often a connection that has grown looks whether it may shrink. */
const TICK_MS = 1000

/** What posting is about. */
export interface PostingParts {
  readonly clock: Clock
  readonly protocol: ProtocolEnd
  readonly receives: ReceiveBuffers
  readonly buffers: SendBuffers
  /** Calls {@link ReceivePosting.post}, and sends what is due then. */
  readonly flush: () => void
}

/** See above. */
export class ReceivePosting {
  readonly #parts: PostingParts
  #isTicking = false
  #isTickDue = false

  constructor(parts: PostingParts) {
    this.#parts = parts
  }

  /** Part of each flush. The peer can do without as many as may be unannounced, so few are not worth a call. */
  post(): void {
    const { protocol, buffers } = this.#parts
    if (this.#isTickDue) this.#tick()
    const { window, missingReceives, receives } = protocol
    if (missingReceives > 0 && receives.isDue(dueAt(window.size), missingReceives))
      this.#postNow(missingReceives)
    const hasGrown = window.size > window.least || window.limited < window.most || buffers.hasExtra
    if (hasGrown && !this.#isTicking) this.#startTicking()
  }

  #postNow(count: number): void {
    const { protocol, receives } = this.#parts
    protocol.onPosted(receives.post(count))
    if (receives.wantsMemory) protocol.window.limit(protocol.window.size >> 1)
  }

  #startTicking(): void {
    const { clock, flush } = this.#parts
    this.#isTicking = true
    clock.setTimer(() => {
      this.#isTicking = false
      this.#isTickDue = true
      flush()
    }, TICK_MS)
  }

  #tick(): void {
    const { protocol, receives, buffers } = this.#parts
    this.#isTickDue = false
    if (protocol.life === 'failed') return
    // What is not posted yet is not what the peer used.
    if (protocol.missingReceives > 0) this.#postNow(protocol.missingReceives)
    protocol.tick()
    receives.trim()
    buffers.trim()
    if (protocol.posted > receivesFor(protocol.window.least)) this.#startTicking()
  }
}
