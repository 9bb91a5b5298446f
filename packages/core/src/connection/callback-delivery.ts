/** Hands received messages to a callback, in order, within the event that received them. */
import { type Deferred, deferTurn, takeTurn } from '../runtime/turn-budget.js'
import type { MessageLease } from './connection.js'
import type { DeliveryOwner } from './delivery.js'
import type { Receiver } from './receiver.js'

/** What a callback delivery calls in its connection. */
export interface CallbackOwner extends DeliveryOwner {
  /** The callback threw: ends the connection. */
  onThrow(error: unknown): void
  /** The last message before the peer's end was handed over. */
  onEndDelivered(): void
}

/**
 * Calls back for each message. When the turn budget is spent, it continues in a later turn of the event loop. When leases
 * that were not released hold their share of the receive window, it continues at the next release.
 */
export class CallbackDelivery implements Deferred {
  readonly #receiver: Receiver
  readonly #owner: CallbackOwner
  readonly #callback: (lease: MessageLease) => void
  #isCalling = false
  #isDeferred = false
  #isOver = false

  constructor(receiver: Receiver, owner: CallbackOwner, callback: (lease: MessageLease) => void) {
    this.#receiver = receiver
    this.#owner = owner
    this.#callback = callback
  }

  /** Calls back for what is ready. */
  goOn(): void {
    // The callback may lead here again; the loop that called it continues.
    if (this.#isCalling || this.#isOver) return
    const receiver = this.#receiver
    while (receiver.ready > 0) {
      if (!receiver.mayLend) {
        receiver.onRelease = () => this.goOnNextTurn()
        return
      }
      if (!takeTurn()) {
        this.goOnNextTurn()
        return
      }
      if (!this.#call(receiver.takeLease())) return
      if (receiver.ready === 0) this.#owner.takeIn()
    }
    if (receiver.isOver) this.#end()
  }

  /** Nothing more will come. */
  settle(): void {
    this.goOn()
  }

  /** The turn that it waited for. */
  onTurn(): void {
    this.#isDeferred = false
    this.#owner.wake()
    // `wake` does nothing on a closed connection, which still has messages that arrived before.
    this.goOn()
  }

  /** Continues in a later turn, with messages that are ready or were left in the transport. */
  goOnNextTurn(): void {
    this.#receiver.onRelease = undefined
    if (this.#isDeferred) return
    this.#isDeferred = true
    deferTurn(this)
  }

  #call(lease: MessageLease): boolean {
    this.#isCalling = true
    try {
      this.#callback(lease)
      return true
    } catch (error) {
      this.#isOver = true
      lease[Symbol.dispose]()
      this.#owner.onThrow(error)
      this.#receiver.discardReady()
      return false
    } finally {
      this.#isCalling = false
    }
  }

  #end(): void {
    this.#isOver = true
    this.#owner.onEndDelivered()
  }
}
