/**
 * The end of a connection on the wire: when the peer has everything up to this end's FIN, when the last frame is sent,
 * and when the endpoint may be closed. What the program sees of the end, and its deadlines, are in `BaseTransport`.
 */
import type { NettsError } from '@netts/core'
import type { ClockTimer } from '@netts/core/driver'
import type { Endpoint } from '../endpoint/endpoint-session.js'
import { ResetReason } from './protocol/frame.js'
import type { ProtocolEnd } from './protocol/protocol-end.js'
import type { SendPlaces } from './send-places.js'

/** How long to wait, after the device refused a post, for the event that says why. */
const REFUSED_MS = 1000
/** How long DONE or RESET may take to arrive before the endpoint is closed anyway: a link may be gone for 2 s. */
const LAST_FRAME_MS = 3000

/** What {@link Ending} works with. */
export interface EndingParts {
  readonly endpoint: Endpoint
  readonly protocol: ProtocolEnd
  readonly places: SendPlaces
  /** Called when the peer has everything up to FIN. */
  readonly onEndTaken: () => void
}

/** The end of one connection. The frames that {@link release} and {@link cut} make due go out with the next flush. */
export class Ending {
  /** Nothing can be posted any more. */
  isRefused = false
  readonly #parts: EndingParts
  /**
   * Whether a completed Send has arrived at the peer. On iWARP it says only that the local TCP took the frame: there
   * the peer's DONE, which answers this end's FIN, says so, or the peer's device when it is asked.
   */
  readonly #isAcknowledgedByPeer: boolean
  /** How many frames have been retired when FIN has. */
  #framesUpToFin = Number.POSITIVE_INFINITY
  #wantsConfirmation = false
  /** Only the arrival of the last frame is still waited for. */
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

  /**
   * Calls {@link EndingParts.onEndTaken} as soon as the peer has everything, without waiting for the peer to finish.
   */
  confirm(): void {
    this.#wantsConfirmation = !this.#isAcknowledgedByPeer
  }

  /**
   * Everything due was posted. A peer that has finished answers FIN with DONE at once; otherwise the peer's device is
   * asked.
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

  /** The program is done with the connection: sends the last frame, DONE if the peer finished, else RESET. */
  release(): void {
    const { protocol } = this.#parts
    if (!protocol.isParting) protocol.fail(ResetReason.timeout)
    this.#sayLast()
  }

  /** The connection is cut. @param resetReason for the RESET, if one can still be sent */
  cut(resetReason: number): void {
    this.#parts.protocol.fail(resetReason)
    this.#sayLast()
  }

  /**
   * The device refused a post. Soft-iWARP does so as soon as the peer has closed. The event that says so is waited for,
   * because what arrived before it is still delivered, as with any other end.
   * @param error ends the connection if no event comes
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
