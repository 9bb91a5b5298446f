/**
 * The handshakes in progress on a listener: how many there may be, and which of them are given up, so that clients that
 * connect and stay silent do not keep others waiting.
 */
import { afterPendingInput, backgroundClock, type ClockTimer } from '@netts/core/driver'

/** While no further handshake may begin, those that were silent for this long are given up, in milliseconds. */
const SILENCE_MS = 500

/** A handshake in progress. */
export interface Handshake {
  /** Bytes that the client has sent so far. */
  readonly bytesRead: number
  /** Gives it up; {@link Handshakes.delete} follows, now or later. */
  giveUp(reason: string): void
}

/** The handshakes in progress on one listener. */
export class Handshakes {
  readonly #most: number
  readonly #timeoutMs: number
  readonly #deadlines = new Map<Handshake, ClockTimer>()
  #onRoom: (() => void) | undefined
  #sweep: ClockTimer | undefined

  /**
   * @param most how many there may be
   * @param timeoutMs how long each may take, in milliseconds
   */
  constructor(most: number, timeoutMs: number) {
    this.#most = most
    this.#timeoutMs = timeoutMs
  }

  add(handshake: Handshake): void {
    const deadline = backgroundClock.setTimer(() => {
      const look = afterPendingInput(backgroundClock, () => handshake.giveUp(`it took ${this.#timeoutMs} ms`))
      if (this.#deadlines.has(handshake)) this.#deadlines.set(handshake, look)
      else look.close()
    }, this.#timeoutMs)
    this.#deadlines.set(handshake, deadline)
    if (this.#deadlines.size >= this.#most) this.#startSweep()
  }

  /** A handshake succeeded, failed, or was given up. Idempotent. */
  delete(handshake: Handshake): void {
    this.#deadlines.get(handshake)?.close()
    this.#deadlines.delete(handshake)
    if (this.#deadlines.size >= this.#most) return
    this.#sweep?.close()
    this.#sweep = undefined
    this.#onRoom?.()
    this.#onRoom = undefined
  }

  /** Resolves when one more handshake may begin; `undefined` if it may now. For one caller at a time. */
  room(): Promise<void> | undefined {
    if (this.#deadlines.size < this.#most) return undefined
    return new Promise((resolve) => {
      this.#onRoom = resolve
    })
  }

  /** Gives up all handshakes. */
  giveUpAll(reason: string): void {
    for (const handshake of [...this.#deadlines.keys()]) handshake.giveUp(reason)
  }

  #startSweep(): void {
    const before = new Map([...this.#deadlines.keys()].map((handshake) => [handshake, handshake.bytesRead]))
    this.#sweep?.close()
    this.#sweep = backgroundClock.setTimer(() => {
      // Look for pending input first: the program may have been busy.
      this.#sweep = afterPendingInput(backgroundClock, () => this.#giveUpSilent(before))
    }, SILENCE_MS)
  }

  #giveUpSilent(before: ReadonlyMap<Handshake, number>): void {
    this.#sweep = undefined
    for (const [handshake, bytesRead] of before) {
      if (this.#deadlines.has(handshake) && handshake.bytesRead === bytesRead) {
        handshake.giveUp('the client was silent while others waited')
      }
    }
    if (this.#deadlines.size >= this.#most && !this.#sweep) this.#startSweep()
  }
}
