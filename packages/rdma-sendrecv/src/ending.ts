/**
 * How the endpoint of a transport ends: when the peer has everything, what it is told last, and when the endpoint is
 * closed. The program's view of the end, with its deadlines, is `BaseTransport`'s; the endpoint outlives it until the
 * protocol's life of `protocol/lifecycle.ts` is over and its last frame is acknowledged.
 */
import type { NettsError } from '@netts/core'
import type { Endpoint } from '@netts/verbs/endpoint'
import { ResetReason } from './protocol/frame.js'
import { isCleanEnd, isOver } from './protocol/lifecycle.js'
import type { ProtocolEnd } from './protocol/protocol-end.js'
import type { SendQueue } from './send-queue.js'

/** How long the event may take that tells why the device posts nothing any more. */
const REFUSED_MS = 1000
/** How long a RESET may take to be acknowledged before the connection is cut without it. */
const RESET_MS = 1000
/** The same for DONE, without which a peer on iWARP does not know that its data arrived: longer than a link is down. */
const DONE_MS = 5000

/** What an end is about. */
export interface EndingParts {
  readonly endpoint: Endpoint
  readonly protocol: ProtocolEnd
  readonly sends: SendQueue
  /** Posts the control frames that are due. */
  readonly scheduleFlush: () => void
  /** The peer has everything, this end's FIN included. */
  readonly onDelivered: () => void
}

/** See above. */
export class Ending {
  /** The device posts nothing any more. */
  refused = false
  readonly #parts: EndingParts
  /** Frames that are acknowledged once FIN is; 0 until it is staged. */
  #framesUpToFin = 0
  #isDisconnecting = false
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

  /** The program disconnects: it does not wait for the peer's own end. */
  disconnect(): void {
    this.#isDisconnecting = true
    this.onAcknowledged()
  }

  /** Frames were acknowledged, or the peer said DONE. */
  onAcknowledged(): void {
    const { protocol, sends, onDelivered } = this.#parts
    if (sends.inFlight === 0 && isOver(protocol.life)) {
      this.closeEndpoint()
      return
    }
    if (!this.#isFinDelivered) return
    if (this.#hasPeerEverything) onDelivered()
    else if (this.#isDisconnecting) this.#confirm()
    if (sends.inFlight === 0 && this.#hasPeerEverything && protocol.onDelivered()) this.closeEndpoint()
  }

  /** The end with an error of this side: the peer is told, where it can be. */
  cut(resetReason: number): void {
    const { protocol } = this.#parts
    protocol.fail(resetReason)
    this.#finish()
  }

  /** The transport is closed: what is due goes out, and then the endpoint is closed. */
  leave(): void {
    const { endpoint, protocol } = this.#parts
    if (endpoint.state !== 'open') return
    // A peer that has finished gets DONE; one that has not learns that nobody waits for it any more.
    if (protocol.life === 'open' || protocol.life === 'finished') protocol.abandon(ResetReason.timeout)
    this.#finish()
  }

  /**
   * The device refused what was to be posted. Soft-iWARP does so from the moment when the peer closed. Unless all
   * was said, the event that tells is waited for: what arrived before counts, as with any other end.
   *
   * @param error the end, if nothing else explains it
   */
  onRefused(error: NettsError): void {
    const { endpoint } = this.#parts
    this.refused = true
    this.stop()
    if (this.isClean) endpoint.close(error)
    else this.#timer = endpoint.verbs.clock.setTimer(() => endpoint.close(error), REFUSED_MS)
  }

  /** Whether a connection that is gone now had ended cleanly before, or its life was over in any way. */
  get isClean(): boolean {
    const { life } = this.#parts.protocol
    return isOver(life) || isCleanEnd(life, this.#hasPeerEverything)
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
   * tells, which answers this end's FIN, or its device, which was asked.
   */
  get #hasPeerEverything(): boolean {
    const { endpoint, protocol } = this.#parts
    if (!this.#isFinDelivered) return false
    return endpoint.device.transport !== 'iwarp' || protocol.life === 'parted' || this.#isConfirmed === true
  }

  /** iWARP: a peer that does not finish says no DONE, but its device can be asked. */
  #confirm(): void {
    const { endpoint, protocol } = this.#parts
    if (this.#isConfirmed !== undefined || this.refused || protocol.life !== 'finished') return
    this.#isConfirmed = false
    try {
      endpoint.confirm(() => {
        this.#isConfirmed = true
        this.onAcknowledged()
      })
    } catch (error) {
      this.onRefused(error as NettsError)
    }
  }

  #finish(): void {
    const { endpoint, protocol, sends, scheduleFlush } = this.#parts
    this.stop()
    const isLastDelivered = protocol.dueControl === 0 && (isOver(protocol.life) || sends.inFlight === 0)
    if (this.refused || isLastDelivered || endpoint.state !== 'open') {
      this.closeEndpoint()
      return
    }
    const patienceMs = isOver(protocol.life) ? RESET_MS : DONE_MS
    this.#timer = endpoint.verbs.clock.setTimer(() => this.closeEndpoint(), patienceMs)
    scheduleFlush()
  }
}
