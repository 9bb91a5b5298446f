/**
 * The end as the wire has it: when the peer has everything up to this end's FIN, the last frame, and when the endpoint
 * may be closed. What the program sees of it, and the deadlines for that, are `BaseTransport`'s.
 */
import type { NettsError } from '@netts/core'
import type { ClockTimer } from '@netts/core/driver'
import type { Endpoint } from '../endpoint/endpoint-session.js'
import { ResetReason } from './protocol/frame.js'
import type { ProtocolEnd } from './protocol/protocol-end.js'
import type { SendPlaces } from './send-places.js'

/** How long the event may take that tells why the device posts nothing any more. */
const REFUSED_MS = 1000
/** How long DONE or RESET may take to arrive before the connection is cut without: a link may be gone for 2 s. */
const LAST_FRAME_MS = 3000

/** What an end is about. */
export interface EndingParts {
  readonly endpoint: Endpoint
  readonly protocol: ProtocolEnd
  readonly places: SendPlaces
  /** The peer has everything up to FIN. */
  readonly onEndTaken: () => void
}

/** See above. What {@link release} and {@link cut} make due leaves with the next flush. */
export class Ending {
  /** Nothing can be posted any more. */
  isRefused = false
  readonly #parts: EndingParts
  /**
   * On iWARP an acknowledgement says that TCP took a frame, and the peer may be without power by then: only its DONE
   * tells, which answers this end's FIN, or its device when it is asked.
   */
  readonly #isAcknowledgedByPeer: boolean
  /** How many frames are complete once FIN is. */
  #framesUpToFin = Number.POSITIVE_INFINITY
  #wantsConfirmation = false
  /** Nobody waits for anything any more but for the last frame to arrive. */
  #isReleased = false
  #timer: ClockTimer | undefined

  constructor(parts: EndingParts) {
    this.#parts = parts
    this.#isAcknowledgedByPeer = parts.endpoint.device.transport !== 'iwarp'
  }

  /** FIN was staged last. */
  onFinStaged(): void {
    if (this.#isAcknowledgedByPeer) this.#framesUpToFin = this.#parts.places.staged
  }

  /** This end wants to be done when the peer has everything, whether the peer finishes or not. */
  confirm(): void {
    this.#wantsConfirmation = !this.#isAcknowledgedByPeer
  }

  /**
   * Everything due was posted. A peer that has finished answers FIN by DONE at once. Of another one, the device is asked.
   * @throws NettsError when the device refuses
   */
  onFlushed(): void {
    const { endpoint, protocol, onEndTaken } = this.#parts
    if (!this.#wantsConfirmation || !protocol.saidFin || protocol.life !== 'finished') return
    this.#wantsConfirmation = false
    endpoint.confirm(onEndTaken)
  }

  /** Frames were acknowledged. */
  onAcknowledged(): void {
    if (this.#parts.places.retired >= this.#framesUpToFin) {
      this.#framesUpToFin = Number.POSITIVE_INFINITY
      this.#parts.onEndTaken()
    }
    if (this.#isReleased) this.#closeIfSaid()
  }

  /** The connection is over, except that the peer has to be told: by DONE if it finished, else by RESET. */
  release(): void {
    const { protocol } = this.#parts
    if (!protocol.isParting) protocol.fail(ResetReason.timeout)
    this.#sayLast()
  }

  /** The connection is cut. @param resetReason what the peer is told, where it can be */
  cut(resetReason: number): void {
    this.#parts.protocol.fail(resetReason)
    this.#sayLast()
  }

  /**
   * The device refused what was to be posted. Soft-iWARP does so from the moment when the peer closed. The event that
   * tells is waited for: what arrived before counts, as with any other end.
   * @param error the end, if nothing else explains it
   */
  onRefused(error: NettsError): void {
    const { endpoint } = this.#parts
    if (this.#isReleased) endpoint.close()
    else this.#setTimer(() => endpoint.close(error), REFUSED_MS)
  }

  /** The endpoint is closed. */
  stop(): void {
    this.#timer?.close()
    this.#timer = undefined
  }

  #sayLast(): void {
    const { endpoint } = this.#parts
    this.#isReleased = true
    this.#closeIfSaid()
    if (endpoint.state === 'open') this.#setTimer(() => endpoint.close(), LAST_FRAME_MS)
  }

  #closeIfSaid(): void {
    const { endpoint, protocol, places } = this.#parts
    const isSaid = protocol.saidLast
      ? places.inFlight === 0 && (this.#isAcknowledgedByPeer || protocol.life !== 'parting')
      : !protocol.isLastDue
    if (isSaid || this.isRefused) endpoint.close()
  }

  #setTimer(callback: () => void, delayMs: number): void {
    this.stop()
    this.#timer = this.#parts.endpoint.verbs.clock.setTimer(callback, delayMs)
  }
}
