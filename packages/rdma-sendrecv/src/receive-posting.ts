/**
 * Posts the receives that are wanted, in batches, and gives back memory that is not needed any more.
 *
 * `protocol/receive-window.ts` decides how many are wanted. A connection whose window has grown looks once a second
 * whether it may shrink; another one has no timer.
 */
import type { Clock } from '@netts/core/driver'
import { dueAt, receivesFor, type SendBuffers } from '@netts/verbs/endpoint'
import type { ProtocolEnd } from './protocol/protocol-end.js'
import type { ReceiveBuffers } from './receive-buffers.js'

/** How often a connection whose window has grown looks whether it may shrink. */
const TICK_MS = 1000

/** What {@link ReceivePosting} works with. */
export interface PostingParts {
  /** For its timer. */
  readonly clock: Clock
  /** Says how many receives are wanted. */
  readonly protocol: ProtocolEnd
  /** Posts them. */
  readonly receives: ReceiveBuffers
  /** The send buffers, which are trimmed once a second too. */
  readonly buffers: SendBuffers
  /** Calls {@link ReceivePosting.post}, and sends what is due then. */
  readonly flush: () => void
}

/** Posts for one transport. */
export class ReceivePosting {
  readonly #parts: PostingParts
  #isTicking = false
  #isTickDue = false

  constructor(parts: PostingParts) {
    this.#parts = parts
  }

  /**
   * Posts the receives that are due: the first step of each flush. As long as so few are missing that they need not be
   * announced yet, it posts none.
   */
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
    // Otherwise the receives that are missing would count as used by the peer.
    if (protocol.missingReceives > 0) this.#postNow(protocol.missingReceives)
    protocol.tick()
    receives.trim()
    buffers.trim()
    if (protocol.posted > receivesFor(protocol.window.least)) this.#startTicking()
  }
}
