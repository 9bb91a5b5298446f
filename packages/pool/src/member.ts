/** One connection of a pool, from when it may be lent until it is closed. */
import type { Connection, Transport } from '@netts/core'

/**
 * The state of a pool's connection:
 *
 * - `ready`: it is lent, or may be lent;
 * - `checking`: it is checked or reset, and no caller has it;
 * - `retired`: it is not lent again; it is closed when no caller has it;
 * - `closed`.
 *
 * It alternates between `ready` and `checking`, and otherwise only moves down this list.
 */
export type MemberState = 'ready' | 'checking' | 'retired' | 'closed'

/** The result of a successful attempt to connect. */
export interface Opened<T extends Transport, S> {
  readonly connection: Connection<T>
  readonly session: S
  /** The name of the builder that connected it. */
  readonly wire: string
  /** The endpoint's round of attempts in which the attempt began. */
  readonly round: number
}

/**
 * One connection of a pool.
 *
 * @typeParam E its endpoint, which counts it
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
  /** When it reaches its lifetime, on the wall clock. */
  readonly expiresWallMs: number
  state: MemberState = 'ready'
  /** How many callers have it. */
  users = 0
  /** How often it was lent. */
  uses = 0
  /** Whether it is on the endpoint's list of those that may be lent. */
  isListed = false
  /** Since when no caller has it, on the wall clock. */
  idleSinceWallMs = 0
  /** How many chunks it had received when it became idle. */
  chunksWhenIdle = 0
  /** How many receives of its borrower wait. */
  receiving = 0
  /** Whether a receive of its borrower was cancelled or failed: the message may still arrive. */
  isUnclean = false
  /** Whether its borrower called `ref`. */
  isReferenced = false
  /** Whether the peer has finished. */
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

  /** Records that no caller has it from now on. */
  rest(wallMs: number): void {
    this.idleSinceWallMs = wallMs
    this.chunksWhenIdle = this.connection.stats.chunksReceived
  }

  /** Whether the peer or an error ended it, or this side finished. */
  get hasEnded(): boolean {
    return this.hasPeerEnded || this.connection.state !== 'open'
  }

  /** Whether input arrived while no caller had it. */
  get hasStrayInput(): boolean {
    return this.connection.stats.chunksReceived !== this.chunksWhenIdle
  }

  /** Whether the next borrower could receive a message for the one that gives it back. */
  get hasLeftovers(): boolean {
    return this.isUnclean || this.receiving > 0 || this.connection.stats.bytesBuffered > 0
  }
}
