/**
 * Finds peers that do not answer any more. (The loss of a peer can also show as an event of the connection manager, a
 * failed completion, or an event of the device.)
 *
 * One timer serves all connections of a device with the same intervals, so that thousands of idle connections cost one
 * wake now and then, not one each. It looks at them in rounds. Each round counts as the same time of silence, however
 * late it comes: when this program was busy, its peers were not silent.
 */
import { afterPendingInput } from '@netts/core/driver'
import type { Clock, ClockTimer } from '../verbs/verbs.js'

/** When to ask a peer's device for an answer, and how long to wait for it. */
export interface KeepAliveOptions {
  /**
   * After so many milliseconds without anything from the peer, and up to a quarter of the shorter of both times later,
   * its device is asked. 0 never asks.
   */
  readonly keepAliveIntervalMs: number
  /** After so many milliseconds without an answer the connection ends with `ERR_NETTS_PEER_LOST`. At least 1. */
  readonly keepAliveTimeoutMs: number
}

/** A connection whose peer is watched. */
export interface KeepAliveTarget {
  /** Asks the peer's device; {@link KeepAlive.answered} is to be called for the answer. */
  probe(): void
  /** Takes what has arrived and was not taken yet: the answer may be in it. */
  look(): void
  /** There was no answer for `keepAliveTimeoutMs`. */
  onSilent(): void
}

/** Rounds within the shorter of the two times. */
const ROUNDS = 4
/** The most peers that are asked in one turn of the event loop. */
const PROBES_PER_TURN = 256

/** The state of one peer: `isAsking` from a question until its answer. */
export class KeepAlive {
  readonly target: KeepAliveTarget
  /** Rounds since something came from the peer, or since the question. */
  quietRounds = 0
  /** Whether an answer is awaited. */
  isAsking = false

  constructor(target: KeepAliveTarget) {
    this.target = target
  }

  /** Something came from the peer. This is on the hot path. */
  heard(): void {
    this.quietRounds = 0
  }

  /** The answer came. */
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
  /** Peers that are waiting to be asked. */
  readonly #toAsk: KeepAlive[] = []
  #timer: ClockTimer | undefined
  #asker: ClockTimer | undefined

  constructor(clock: Clock, { keepAliveIntervalMs, keepAliveTimeoutMs }: KeepAliveOptions) {
    this.#clock = clock
    this.#roundMs = Math.min(keepAliveIntervalMs, keepAliveTimeoutMs) / ROUNDS
    this.#intervalRounds = keepAliveIntervalMs / this.#roundMs
    this.#timeoutRounds = keepAliveTimeoutMs / this.#roundMs
  }

  /** Watches a peer from now on. */
  add(peer: KeepAlive): void {
    if (this.#roundMs === 0) return
    peer.answered()
    this.#watched.add(peer)
    if (!this.#timer) this.#wait()
  }

  /** Stops watching a peer. Idempotent. */
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
    // If a callback below removes the last peer and adds one, add() starts the timer.
    this.#timer = undefined
    for (const peer of this.#watched) {
      peer.quietRounds++
      if (!peer.isAsking) {
        // The first round is shorter: it may have begun just before something came from the peer.
        if (peer.quietRounds > this.#intervalRounds) this.#askSoon(peer)
      } else if (peer.quietRounds >= this.#timeoutRounds) {
        peer.target.look()
        // That may have taken the answer, or ended this connection or another.
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

  /** Asks some peers in the next turn of the event loop, and the others in the turns after it. */
  #ask(): void {
    this.#asker = this.#clock.setImmediate(() => {
      for (const peer of this.#toAsk.splice(0, PROBES_PER_TURN)) {
        if (this.#watched.has(peer)) peer.target.probe()
      }
      if (this.#toAsk.length > 0) this.#ask()
    })
  }
}
