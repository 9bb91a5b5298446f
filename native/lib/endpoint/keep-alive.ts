/**
 * Finds peers that fell silent: the fourth face of a peer's death, beside event, error and device.
 *
 * One timer does it for all connections of a device with the same intervals, so that thousands of idle ones cost a wake
 * now and then, and not one each. It looks at them in rounds. A round counts as so much silence, however late it comes:
 * a program that was busy does not make a peer silent.
 */
import { afterPendingInput } from '@netts/core/driver'
import type { Clock, ClockTimer } from '../verbs/verbs.js'

/** When to ask, and how long to wait. */
export interface KeepAliveOptions {
  /** After so long without a sign of life the peer is asked, in milliseconds, and up to a quarter later. 0 never asks. */
  readonly keepAliveIntervalMs: number
  /** Without an answer for so long the peer is lost, in milliseconds. */
  readonly keepAliveTimeoutMs: number
}

/** A connection whose peer is watched. */
export interface KeepAliveTarget {
  /** Sends a question; `answered` is called for its answer. */
  probe(): void
  /** Takes what has come in and was not seen yet: there may be an answer. */
  look(): void
  /** There was none for `keepAliveTimeoutMs`. */
  onSilent(): void
}

/** So many rounds make up the shorter of the two times. */
const ROUNDS = 4
/** Questions that are asked in one turn of the event loop. */
const PROBES_PER_TURN = 256

/** What is known of one peer. States: *quiet*, and *asking* from a question until its answer. */
export class KeepAlive {
  readonly target: KeepAliveTarget
  /** Rounds since the last sign of life, or since the question. */
  quietRounds = 0
  isAsking = false

  constructor(target: KeepAliveTarget) {
    this.target = target
  }

  /** Anything came from the peer. On the hot path. */
  heard(): void {
    this.quietRounds = 0
  }

  answered(): void {
    this.quietRounds = 0
    this.isAsking = false
  }
}

/** Watches the peers of connections with the same {@link KeepAliveOptions}. */
export class KeepAliveRounds {
  readonly #clock: Clock
  readonly #roundMs: number
  readonly #intervalRounds: number
  readonly #timeoutRounds: number
  readonly #watched = new Set<KeepAlive>()
  /** Those that are to be asked, once it is their turn. */
  readonly #toAsk: KeepAlive[] = []
  #timer: ClockTimer | undefined
  #asker: ClockTimer | undefined

  constructor(clock: Clock, { keepAliveIntervalMs, keepAliveTimeoutMs }: KeepAliveOptions) {
    this.#clock = clock
    this.#roundMs = Math.min(keepAliveIntervalMs, keepAliveTimeoutMs) / ROUNDS
    this.#intervalRounds = keepAliveIntervalMs / this.#roundMs
    this.#timeoutRounds = keepAliveTimeoutMs / this.#roundMs
  }

  /** Watches it from now on. */
  add(peer: KeepAlive): void {
    if (this.#roundMs === 0) return
    peer.answered()
    this.#watched.add(peer)
    if (!this.#timer) this.#wait()
  }

  /** Watches it no more. Idempotent. */
  remove(peer: KeepAlive): void {
    this.#watched.delete(peer)
    if (this.#watched.size > 0) return
    this.#timer?.close()
    this.#timer = undefined
    this.#asker?.close()
    this.#asker = undefined
    this.#toAsk.length = 0
  }

  #wait(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = afterPendingInput(this.#clock, () => this.#round())
    }, this.#roundMs)
  }

  #round(): void {
    // A peer that is added meanwhile, when no other is left, begins the next round itself.
    this.#timer = undefined
    for (const peer of this.#watched) {
      peer.quietRounds++
      if (!peer.isAsking) {
        // The first round came early: it may have begun just before the last sign of life.
        if (peer.quietRounds > this.#intervalRounds) this.#askSoon(peer)
      } else if (peer.quietRounds >= this.#timeoutRounds) {
        peer.target.look()
        // What was seen may have been an answer, or the end of this connection or another.
        const isSilent = peer.isAsking && peer.quietRounds >= this.#timeoutRounds
        if (isSilent && this.#watched.has(peer)) peer.target.onSilent()
      }
    }
    if (this.#watched.size > 0 && !this.#timer) this.#wait()
  }

  #askSoon(peer: KeepAlive): void {
    peer.isAsking = true
    peer.quietRounds = 0
    this.#toAsk.push(peer)
    if (this.#toAsk.length === 1) this.#ask()
  }

  /** Asks so many at once, and the others in the next turns. */
  #ask(): void {
    this.#asker = this.#clock.setImmediate(() => {
      for (const peer of this.#toAsk.splice(0, PROBES_PER_TURN)) {
        if (this.#watched.has(peer)) peer.target.probe()
      }
      if (this.#toAsk.length > 0) this.#ask()
    })
  }
}
