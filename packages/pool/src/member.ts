/** One connection of a pool, from the moment that it may be lent until it is closed. */
import type { Connection, Transport } from '@netts/core'

/**
 * Where a connection is in its life:
 *
 * - `ready`: it is lent, or may be;
 * - `checking`: `validate` or `reset` is at work, and nobody has it;
 * - `retired`: nobody gets it any more; who has it keeps it, and then it is closed;
 * - `closed`.
 *
 * `ready` and `checking` alternate; all else only goes down.
 */
export type MemberState = 'ready' | 'checking' | 'retired' | 'closed'

/** What an attempt to connect came to. */
export interface Opened<T extends Transport, S> {
  readonly connection: Connection<T>
  readonly session: S
  /** The name of the builder that connected it. */
  readonly wire: string
  /** The endpoint's round of attempts in which it began. */
  readonly round: number
}

/**
 * See above.
 *
 * @typeParam E its endpoint, which keeps the books about it
 */
export class Member<T extends Transport, S, E> {
  readonly endpoint: E
  readonly connection: Connection<T>
  readonly session: S
  readonly wire: string
  /** The endpoint's round of attempts in which it was opened. */
  readonly round: number
  /** When it was opened, on the monotonic clock. */
  readonly bornMs: number
  /** When its life is over, on the clock of the wall. */
  readonly expiresWallMs: number
  state: MemberState = 'ready'
  /** Callers that have it. */
  users = 0
  /** How often it was lent. */
  uses = 0
  /** Whether it is on the endpoint's list of those that may be lent. */
  isListed = false
  /** Since when nobody has it, on the clock of the wall. */
  idleSinceWallMs = 0
  /** How many chunks had come when it became idle. */
  chunksWhenIdle = 0
  /** Receives that wait, of its borrower's. */
  receiving = 0
  /** Whether a receive of its borrower's was cancelled: what it asked for may still come. */
  isUnclean = false
  /** Whether its borrower made it keep the process alive. */
  isReferenced = false
  /** The peer has said its end. */
  hasPeerEnded = false
  /** Whether it was used and came back in order. */
  isProven = false

  constructor(endpoint: E, opened: Opened<T, S>, bornMs: number, expiresWallMs: number) {
    this.endpoint = endpoint
    this.connection = opened.connection
    this.session = opened.session
    this.wire = opened.wire
    this.round = opened.round
    this.bornMs = bornMs
    this.expiresWallMs = expiresWallMs
  }

  /** Nobody has it from now on. */
  rest(wallMs: number): void {
    this.idleSinceWallMs = wallMs
    this.chunksWhenIdle = this.connection.stats.chunksReceived
  }

  /** The peer or an error ended it, or this side finished. */
  get hasEnded(): boolean {
    return this.hasPeerEnded || this.connection.state !== 'open'
  }

  /** Input came that nobody asked for, while nobody had it. */
  get hasStrayInput(): boolean {
    return this.connection.stats.chunksReceived !== this.chunksWhenIdle
  }

  /** The next borrower could get what was meant for the one who gives it back. */
  get hasLeftovers(): boolean {
    return this.isUnclean || this.receiving > 0 || this.connection.stats.bytesBuffered > 0
  }
}
