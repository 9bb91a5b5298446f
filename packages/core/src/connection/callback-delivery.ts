/** Hands received messages to a callback, in order, from within the event that brought them. */
import { type Deferred, deferTurn, takeTurn } from '../runtime/turn-budget.js'
import type { MessageLease } from './connection.js'
import type { DeliveryOwner } from './delivery.js'
import type { Receiver } from './receiver.js'

/** What this asks of its connection. */
export interface CallbackOwner extends DeliveryOwner {
  /** The callback threw: ends the connection. */
  onThrow(error: unknown): void
  /** The peer's end follows the last message that was handed over. */
  onEndDelivered(): void
}

/**
 * Calls back for each message. It goes on as long as the event loop can do without a turn, and then in the next one; and
 * no further than leases that were not released leave room: then with the next release.
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
    // What the callback does may lead here again: the loop that called it goes on.
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

  /** It has the turn that it waited for. */
  onTurn(): void {
    this.#isDeferred = false
    this.#owner.wake()
    // A closed connection does not look any more, and still has what had arrived before.
    this.goOn()
  }

  /** There is something to deliver, or was left in the transport, that can't be now. */
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
