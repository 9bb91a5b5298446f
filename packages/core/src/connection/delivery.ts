/** Hands received messages to the program: at once, or in order to calls of `recv` that wait. */
import { WaitQueue } from '../driver/wait-queue.js'
import { type Deferred, deferTurn, takeTurn } from '../runtime/turn-budget.js'
import type { MessageLease } from './connection.js'
import type { Receiver } from './receiver.js'

/** Whether a receive gets a copy of its own or a lease. */
export type Take = 'owned' | 'lease'
export type Received = Buffer | MessageLease | undefined

/** What a delivery calls in its connection. */
export interface DeliveryOwner {
  /** Polls the transport. The connection handles exceptions of the transport. */
  takeIn(): void
  /** Looks at everything, as if the transport's waker had been called. */
  wake(): void
  /** The same, in the next tick. */
  wakeSoon(): void
}

const END: Promise<undefined> = Promise.resolve(undefined)

/** The receives of one connection. When the turn budget is spent, it continues in a later turn of the event loop. */
export class Delivery implements Deferred {
  readonly #receiver: Receiver
  readonly #owner: DeliveryOwner
  readonly #waiting = new WaitQueue<Received, Take>('recv')
  #isDeferred = false

  constructor(receiver: Receiver, owner: DeliveryOwner) {
    this.#receiver = receiver
    this.#owner = owner
  }

  /** Whether a receive waits. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0
  }

  /** Whether a message can be {@link take}n at once, without overtaking a receive that waits. */
  canTake(): boolean {
    if (this.#waiting.length > 0) return false
    const receiver = this.#receiver
    if (receiver.ready === 0) {
      if (receiver.isOver) return false
      this.#owner.takeIn()
      if (receiver.ready === 0) return false
    }
    if (takeTurn()) return true
    this.goOnNextTurn()
    return false
  }

  /** The next message. Only after {@link canTake} returned `true`. */
  take(take: Take): Buffer | MessageLease {
    const receiver = this.#receiver
    const message = take === 'owned' ? receiver.takeOwned() : receiver.takeLease()
    // Even if the program receives nothing more for now: the peer may wait for room, to close for example.
    if (receiver.isHeldBack && receiver.ready === 0) this.#owner.wakeSoon()
    return message
  }

  /** The next message, now or later; `undefined` at the end. */
  receive(take: Take, signal: AbortSignal | undefined): Promise<Received> {
    if (!signal?.aborted) {
      if (this.canTake()) return Promise.resolve(this.take(take))
      const { isOver, error, ready } = this.#receiver
      if (isOver && ready === 0) return error ? Promise.reject(error) : END
    }
    return this.#waiting.wait(take, signal)
  }

  /** Gives the ready messages to the receives that wait. */
  goOn(): void {
    const receiver = this.#receiver
    while (receiver.ready > 0 && this.#waiting.length > 0) {
      if (!takeTurn()) {
        this.goOnNextTurn()
        return
      }
      const waiter = this.#waiting.first!
      waiter.resolve(this.take(waiter.detail))
      if (receiver.ready === 0) this.#owner.takeIn()
    }
    if (receiver.isOver) this.settle()
  }

  /** Nothing more will come: receives that wait get the ready messages, and then the end. */
  settle(): void {
    const receiver = this.#receiver
    for (let waiter = this.#waiting.first; waiter; waiter = this.#waiting.first) {
      if (receiver.ready > 0) waiter.resolve(this.take(waiter.detail))
      else if (receiver.error) waiter.reject(receiver.error)
      else waiter.resolve(undefined)
    }
  }

  /** The turn that it waited for. */
  onTurn(): void {
    this.#isDeferred = false
    const receiver = this.#receiver
    if (this.#waiting.length > 0) this.goOn()
    // No receive waits, but the peer's end may be among what was left in the transport.
    else if (receiver.isHeldBack && !receiver.isFull) this.#owner.wake()
  }

  /** Continues in a later turn, with messages that are ready or were left in the transport. */
  goOnNextTurn(): void {
    if (this.#isDeferred) return
    this.#isDeferred = true
    deferTurn(this)
  }
}
