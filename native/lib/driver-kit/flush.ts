/**
 * When receives and frames are posted. Whatever was staged, released or made due within a tick is posted after it, in
 * one flush: receives first, because the frames announce their count, then frames. Only an answer (the first data that
 * is staged after data was received) is posted at once.
 */
import { nextTick } from '@netts/core/driver'
import type { Endpoint } from '../endpoint/endpoint-session.js'
import type { Ending } from './ending.js'
import { FrameKind } from './protocol/frame.js'
import type { ProtocolEnd } from './protocol/protocol-end.js'
import type { SendSide } from './sides.js'

/** What a {@link Flush} posts. */
export interface FlushParts {
  readonly endpoint: Endpoint
  readonly protocol: ProtocolEnd
  readonly sends: SendSide
  /** Posts the receives that are due. */
  readonly postReceives: () => void
  readonly ending: Ending
  /** Called with what was thrown: the device refuses, or the driver has a fault. */
  readonly onThrow: (error: unknown) => void
}

/** Posts for one transport. */
export class Flush {
  /** Frames without data that were staged so far. */
  controlFrames = 0
  readonly #parts: FlushParts
  #isScheduled = false
  /** A CREDIT frame is due, and goes in the next turn of the event loop unless another frame has carried the count. */
  #isCreditScheduled = false

  constructor(parts: FlushParts) {
    this.#parts = parts
  }

  /** Flushes after this tick. */
  schedule(): void {
    if (this.#isScheduled || this.#parts.endpoint.state !== 'open') return
    this.#isScheduled = true
    nextTick(Flush.#onTick, this)
  }

  /** The caller is going to call {@link run}: until then {@link schedule} has no effect. */
  hold(): void {
    this.#isScheduled = true
  }

  /** Posts now what is staged. Whatever else is due is posted after this tick. */
  answer(): void {
    const { endpoint, protocol, sends, ending } = this.#parts
    if (endpoint.state !== 'open' || ending.isRefused) return
    // Before posted(), so that the flush runs before the completion loop polls again.
    this.schedule()
    try {
      sends.post(protocol.announce())
    } catch (error) {
      ending.isRefused = true
      this.#parts.onThrow(error)
      return
    }
    endpoint.posted()
  }

  /**
   * Flushes now.
   * @param isTurnOver whether a CREDIT frame that is due is sent now, or in the next turn.
   * @default false
   */
  run(isTurnOver = false): void {
    this.#isScheduled = false
    const { endpoint, ending } = this.#parts
    if (endpoint.state !== 'open' || ending.isRefused) return
    try {
      this.#run(isTurnOver)
    } catch (error) {
      ending.isRefused = true
      this.#parts.onThrow(error)
    }
  }

  static #onTick(this: void, flush: Flush): void {
    flush.run()
  }

  #run(isTurnOver: boolean): void {
    const { endpoint, protocol, sends, ending } = this.#parts
    const { places } = sends
    this.#parts.postReceives()
    // A staged frame will carry the counts, so no CREDIT is due.
    if (places.hasStaged) protocol.announce()
    while (places.hasRoom) {
      const kind = protocol.dueControl
      if (kind === 0) break
      if (kind === FrameKind.credit && !isTurnOver) {
        this.#scheduleCredit()
        break
      }
      sends.stageControl(kind, protocol.argumentOf(kind))
      if (kind === FrameKind.fin) ending.onFinStaged()
      protocol.onSend(kind)
      protocol.announce()
      this.controlFrames++
    }
    const hasStaged = places.hasStaged
    if (hasStaged) sends.post(protocol.announce())
    ending.onFlushed()
    if (hasStaged) endpoint.posted()
  }

  /** A program that answers from a promise does so after this flush, and its frame carries the count. */
  #scheduleCredit(): void {
    if (this.#isCreditScheduled) return
    this.#isCreditScheduled = true
    this.#parts.endpoint.verbs.clock.setImmediate(() => {
      this.#isCreditScheduled = false
      this.run(true)
    })
  }
}
