/**
 * What leaves, and when: whatever a tick staged, released or made due goes out behind it in one flush; receives first,
 * so that the counts that follow them are true, then frames. An answer, the first data that is staged after some was
 * received, does not wait for that.
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
  /** Gets what was thrown: the device refuses, or the driver is wrong. */
  readonly onThrow: (error: unknown) => void
}

/** See above. */
export class Flush {
  /** Frames without data that were staged. */
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

  /** The caller flushes soon: nothing has to be scheduled until then. */
  hold(): void {
    this.#isScheduled = true
  }

  /** Posts what is staged at once. Whatever else is due goes behind this tick. */
  answer(): void {
    const { endpoint, protocol, sends, ending } = this.#parts
    if (endpoint.state !== 'open' || ending.isRefused) return
    // In front of the loop's continuation, which polls.
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

  /** Flushes now. @param isTurnOver whether a CREDIT frame that is due has to go */
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
    // Whatever is staged will carry the counts: then no CREDIT is due.
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

  /** Programs that answer from a promise do so after this flush, and then no frame of its own is needed. */
  #scheduleCredit(): void {
    if (this.#isCreditScheduled) return
    this.#isCreditScheduled = true
    this.#parts.endpoint.verbs.clock.setImmediate(() => {
      this.#isCreditScheduled = false
      this.run(true)
    })
  }
}
