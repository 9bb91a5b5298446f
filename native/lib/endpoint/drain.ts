/**
 * Waits until everything outstanding on a queue pair in the error state has been flushed: a marker is posted last to
 * each of its two queues, and queues complete in order.
 */
import { SendFlag, SendOpcode } from '../verbs/layout.js'
import type { QueuePair } from '../verbs/queue-pair.js'
import { writeReceive, writeSend } from '../verbs/records.js'
import type { Clock, ClockTimer } from '../verbs/verbs.js'
import { InternalKind, workRequestIdLow } from './work-request-id.js'

/** How long flushing may take before the queue pair is destroyed anyway. */
const DRAIN_TIMEOUT_MS = 1_000

/** The flushing of one queue pair. */
export class Drain {
  readonly #clock: Clock
  readonly #onDone: () => void
  #markersLeft = Number.POSITIVE_INFINITY
  #timer: ClockTimer | undefined

  /** @param onDone called once, in a turn of the event loop of its own */
  constructor(clock: Clock, onDone: () => void) {
    this.#clock = clock
    this.#onDone = onDone
  }

  /** Moves the queue pair to the error state and posts the markers, as these records. */
  start(queuePair: QueuePair, sendAt: number, receiveAt: number): void {
    this.#timer = this.#clock.setTimer(() => this.finish(), DRAIN_TIMEOUT_MS)
    try {
      queuePair.moveToError()
      writeSend(queuePair, sendAt, {
        id: BigInt(workRequestIdLow(InternalKind.drainSend, 0)),
        opcode: SendOpcode.send,
        flags: SendFlag.signalled,
      })
      writeReceive(queuePair, receiveAt, { id: BigInt(workRequestIdLow(InternalKind.drainReceive, 0)) })
      this.#markersLeft = queuePair.postSend(1, sendAt) + queuePair.postReceive(1, receiveAt)
      // Soft-RoCE flushes receives that were posted in the error state only after another move to it.
      queuePair.moveToError()
    } catch {
      // The queue pair was closed or is broken: nothing completes, and the timer ends the wait.
    }
  }

  /** A marker was flushed. */
  onMarker(): void {
    if (--this.#markersLeft === 0) this.finish()
  }

  /** Waits no longer. */
  finish(): void {
    if (!this.#timer) return
    this.#timer.close()
    this.#timer = undefined
    this.#clock.setImmediate(this.#onDone)
  }
}
