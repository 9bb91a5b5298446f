/**
 * How a transport ends: why, by which deadline, and when the endpoint is closed.
 *
 * The endpoint outlives the life of `protocol/lifecycle.ts` for as long as a last RESET is on its way. Moving data
 * is `transport.ts`'s business.
 */
import type { NettsError } from '@netts/core'
import type { Waker } from '@netts/core/driver'
import type { Endpoint } from '@netts/verbs/endpoint'
import { disconnectTimedOut } from './errors.js'
import { ResetReason } from './protocol/frame.js'
import { isCleanEnd, isOver } from './protocol/lifecycle.js'
import type { ProtocolEnd } from './protocol/protocol-end.js'
import type { SendQueue } from './send-queue.js'

/** How long `disconnect` waits for the next acknowledgement of data, and then for the peer's end. */
const DISCONNECT_MS = 5000
/** How long the event may take that tells why the device posts nothing any more. */
const REFUSED_MS = 1000
/** How long a RESET may take to be acknowledged before the connection is cut without it. */
const RESET_MS = 1000

/** What an end is about. */
export interface EndingParts {
  readonly endpoint: Endpoint
  readonly protocol: ProtocolEnd
  readonly sends: SendQueue
  readonly waker: Waker
  /** Posts the control frames that are due. */
  readonly scheduleFlush: () => void
}

/** See above. */
export class Ending {
  /** Why it ended, or will as soon as a RESET is out; `undefined` for a clean end. */
  error: NettsError | undefined
  /** The program asked for a graceful end: what comes in is discarded. */
  disconnecting = false
  /** The device posts nothing any more. */
  refused = false
  readonly #parts: EndingParts
  /** Frames that are acknowledged once FIN is; 0 until it is staged. */
  #framesUpToFin = 0
  /** What was not acknowledged when the deadline of a disconnect was set. */
  #dataAwaited = 0
  #finAwaited = true
  /** iWARP: whether the peer's device has everything up to FIN; `undefined` until it is asked. */
  #isConfirmed: boolean | undefined
  #timer: { close(): void } | undefined

  constructor(parts: EndingParts) {
    this.#parts = parts
  }

  /** FIN was staged last. */
  onFinStaged(): void {
    this.#framesUpToFin = this.#parts.sends.staged
  }

  /** The program asks for a graceful end. */
  disconnect(): void {
    this.disconnecting = true
    this.#parts.protocol.finish()
    this.#setDeadline()
  }

  /** The end, with an error. @param resetReason what the peer is told, where it can be */
  fail(error: NettsError, resetReason?: number): void {
    if (isOver(this.#parts.protocol.life)) return
    this.error = error
    this.#parts.protocol.fail(resetReason)
    this.#over()
  }

  /** The peer sent RESET, with which its life is over and this one as well. */
  onReset(error: NettsError): void {
    this.error = error
    this.#over()
  }

  /** Frames were acknowledged, but not all: as long as that goes on, a disconnect waits. */
  onAcknowledged(): void {
    if (!this.disconnecting || !this.#finAwaited) return
    if (this.#parts.sends.dataInFlight < this.#dataAwaited || this.#isFinDelivered) this.#setDeadline()
  }

  /** Every frame so far was acknowledged. */
  onAllAcknowledged(): void {
    const { protocol, waker } = this.#parts
    if (isOver(protocol.life)) this.closeEndpoint()
    else if (this.#hasPeerEverything && protocol.onDelivered()) {
      waker.wake()
      this.closeEndpoint()
    } else this.onAcknowledged()
  }

  /**
   * The device refused what was to be posted. Soft-iWARP does so from the moment when the peer closed. Unless all
   * was said, the event that tells is waited for: what arrived before counts, as with any other end.
   *
   * @param error the end, if nothing else explains it
   */
  onRefused(error: NettsError): void {
    const { endpoint, protocol } = this.#parts
    this.refused = true
    this.stop()
    if (isOver(protocol.life) || isCleanEnd(protocol.life, this.#hasPeerEverything)) endpoint.close(error)
    else this.#timer = endpoint.verbs.clock.setTimer(() => endpoint.close(error), REFUSED_MS)
  }

  /** The connection is gone. @param error why, unless everything had been said before */
  onEndpointEnd(error: NettsError): void {
    const { protocol, waker } = this.#parts
    if (isOver(protocol.life)) return
    if (isCleanEnd(protocol.life, this.#hasPeerEverything)) protocol.abandon(ResetReason.timeout)
    else {
      this.error = error
      protocol.fail()
    }
    this.stop()
    waker.wake()
  }

  closeEndpoint(): void {
    this.stop()
    this.#parts.endpoint.close()
  }

  /** No deadline matters any more. */
  stop(): void {
    this.#timer?.close()
    this.#timer = undefined
  }

  get #isFinDelivered(): boolean {
    return this.#framesUpToFin > 0 && this.#parts.sends.retired >= this.#framesUpToFin
  }

  /**
   * On iWARP an acknowledgement says that TCP took a frame, and the peer may be without power by then: only its DONE
   * tells, which answers this end's FIN.
   */
  get #hasPeerEverything(): boolean {
    const { endpoint, protocol } = this.#parts
    return this.#isFinDelivered && (endpoint.device.transport !== 'iwarp' || protocol.life === 'parted')
  }

  /** iWARP: a peer that does not finish says no DONE either, but its device can be asked. */
  #confirm(): void {
    const { endpoint } = this.#parts
    if (this.#isConfirmed !== undefined || endpoint.device.transport !== 'iwarp' || this.refused) return
    this.#isConfirmed = false
    try {
      endpoint.confirm(() => {
        this.#isConfirmed = true
      })
    } catch (error) {
      this.onRefused(error as NettsError)
    }
  }

  #setDeadline(): void {
    if (this.refused) return
    const { endpoint, sends } = this.#parts
    this.#dataAwaited = sends.dataInFlight
    this.#finAwaited = !this.#isFinDelivered
    this.stop()
    this.#timer = endpoint.verbs.clock.setTimer(() => this.#onDeadline(), DISCONNECT_MS)
    if (this.#isFinDelivered) this.#confirm()
  }

  #onDeadline(): void {
    const { endpoint, protocol } = this.#parts
    if (isOver(protocol.life)) return
    // A peer that has finished says DONE at once; one that has not need not say anything.
    const isDelivered =
      protocol.life === 'parting'
        ? this.#hasPeerEverything
        : this.#isFinDelivered && (endpoint.device.transport !== 'iwarp' || this.#isConfirmed === true)
    if (!isDelivered) {
      this.fail(disconnectTimedOut(DISCONNECT_MS, endpoint.remoteAddress), ResetReason.timeout)
      return
    }
    protocol.abandon(ResetReason.timeout)
    this.#over()
  }

  /** The life is over: what is due goes out, then the endpoint is closed. */
  #over(): void {
    const { endpoint, protocol, waker, scheduleFlush } = this.#parts
    this.stop()
    waker.wake()
    if (protocol.dueControl === 0 || this.refused) this.closeEndpoint()
    else {
      this.#timer = endpoint.verbs.clock.setTimer(() => this.closeEndpoint(), RESET_MS)
      scheduleFlush()
    }
  }
}
