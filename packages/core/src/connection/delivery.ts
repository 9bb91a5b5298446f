/** Hands received messages to the program: at once, or in order to receives that wait. */
import { WaitQueue } from '../driver/wait-queue.js'
import { type Deferred, deferTurn, takeTurn } from '../runtime/turn-budget.js'
import type { MessageLease } from './connection.js'
import type { Receiver } from './receiver.js'

/** How a receive takes its message. */
export type Take = 'owned' | 'lease'
export type Received = Buffer | MessageLease | undefined

/** What a delivery asks of its connection. */
export interface DeliveryOwner {
  /** Takes in what has arrived. What that throws is the owner's affair. */
  takeIn(): void
  /** Looks at everything, as if the transport had changed. */
  wake(): void
  /** The same, in a tick of its own. */
  wakeSoon(): void
}

const END: Promise<undefined> = Promise.resolve(undefined)

/** Receives of one connection. It goes on as long as the event loop can do without a turn, and then in the next one. */
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

  /** The next message. Only after {@link canTake} said so. */
  take(take: Take): Buffer | MessageLease {
    const receiver = this.#receiver
    const message = take === 'owned' ? receiver.takeOwned() : receiver.takeLease()
    // Also for a program that receives no more for now: its peer may wait for room, to close for instance.
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

  /** Gives receives that wait what is ready. */
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

  /** Nothing more will come: receives that wait get what is ready, and then the end. */
  settle(): void {
    const receiver = this.#receiver
    for (let waiter = this.#waiting.first; waiter; waiter = this.#waiting.first) {
      if (receiver.ready > 0) waiter.resolve(this.take(waiter.detail))
      else if (receiver.error) waiter.reject(receiver.error)
      else waiter.resolve(undefined)
    }
  }

  /** It has the turn that it waited for. */
  onTurn(): void {
    this.#isDeferred = false
    const receiver = this.#receiver
    if (this.#waiting.length > 0) this.goOn()
    // Nobody receives: what was left in the transport may be the peer's end.
    else if (receiver.isHeldBack && !receiver.isFull) this.#owner.wake()
  }

  /** There is something to deliver, or was left in the transport, that can't be now. */
  goOnNextTurn(): void {
    if (this.#isDeferred) return
    this.#isDeferred = true
    deferTurn(this)
  }
}
