/** Finds peers that fell silent: the fourth face of a peer's death, beside event, error and device. */
import type { Clock, ClockTimer } from '../verbs/verbs.js'
import { silenceDeadline } from './silence-deadline.js'

/** When to ask, and how long to wait. */
export interface KeepAliveOptions {
  /** After so long without a sign of life the peer is asked, in milliseconds. 0 never asks. */
  readonly keepAliveIntervalMs: number
  /** Without an answer for so long the peer is lost, in milliseconds. */
  readonly keepAliveTimeoutMs: number
}

/** What a {@link KeepAlive} drives. */
export interface KeepAliveTarget {
  /** Sends a question; `answered` is called for its answer. */
  probe(): void
  /** Takes what has come in and was not seen yet: there may be an answer. */
  look(): void
  /** There was none for `keepAliveTimeoutMs`. */
  onSilent(): void
}

/** States: *quiet* (a timer runs until the next check) and *asking* (a deadline runs until the peer counts as lost). */
export class KeepAlive {
  readonly #clock: Clock
  readonly #options: KeepAliveOptions
  readonly #target: KeepAliveTarget
  #timer: ClockTimer | undefined
  #heard = false
  #asking = false

  constructor(clock: Clock, options: KeepAliveOptions, target: KeepAliveTarget) {
    this.#clock = clock
    this.#options = options
    this.#target = target
  }

  start(): void {
    const { keepAliveIntervalMs } = this.#options
    if (keepAliveIntervalMs > 0) this.#wait(keepAliveIntervalMs)
  }

  stop(): void {
    this.#timer?.close()
    this.#timer = undefined
  }

  /** Anything came from the peer. On the hot path. */
  heard(): void {
    this.#heard = true
  }

  answered(): void {
    this.#heard = true
    this.#asking = false
  }

  #wait(delayMs: number): void {
    this.#timer = this.#clock.setTimer(() => this.#check(), delayMs)
  }

  #check(): void {
    const { keepAliveIntervalMs, keepAliveTimeoutMs } = this.#options
    if (this.#heard) {
      this.#heard = false
      this.#wait(keepAliveIntervalMs)
    } else if (this.#asking) {
      this.#target.onSilent()
    } else {
      this.#asking = true
      const check = () => this.#check()
      const look = () => this.#target.look()
      this.#timer = silenceDeadline(this.#clock, keepAliveTimeoutMs, check, look)
      this.#target.probe()
    }
  }
}
