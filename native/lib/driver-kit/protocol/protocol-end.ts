/**
 * The protocol state of one end of a connection, as far as all drivers have it: counts of receives, the state of the
 * connection, and which control frame is due. A driver extends it by what its data needs. It does no I/O, and it has no
 * `#private` fields, so that a model checker can copy it.
 */
import { RESERVE, ReceiveCredits, SendCredits } from './credits.js'
import { FrameKind, frameName } from './frame.js'
import { eventOf, type LifeState, TRANSITIONS } from './lifecycle.js'

/** What an end says of its receives in its hello. */
export interface PostedReceives {
  /** How many receives were posted when the hello was sent: where the count begins. */
  readonly posted: number
  /** The most receives that will ever be posted at a time. */
  readonly maxPosted: number
}

/**
 * The protocol state of one end of a connection: its life, the credits in both directions, and which control frames are due.
 * It does no I/O. A driver extends it with the rules of its own data frames.
 */
export abstract class ProtocolEnd {
  /** The state of the connection. */
  life: LifeState = 'open'
  /** What the peer lets this end send. */
  readonly credits: SendCredits
  /** What this end lets the peer send. */
  readonly receives: ReceiveCredits
  /** Receives of this end that are posted and not used up. */
  posted: number
  /** Whether this end has sent its last frame, DONE or RESET. */
  saidLast = false
  /** Whether this end has sent FIN. */
  saidFin = false
  private finDue = false
  private doneDue = false
  private resetReason: number | undefined

  /**
   * @param local what this end said in its hello
   * @param peer what the peer said in its own
   */
  protected constructor(local: PostedReceives, peer: PostedReceives) {
    this.posted = local.posted
    this.receives = new ReceiveCredits(local.posted)
    this.credits = new SendCredits(peer.posted, peer.maxPosted)
  }

  /** Whether the peer has to be told the counts, by a CREDIT frame if no other frame is sent. */
  abstract readonly isCreditDue: boolean

  /** The kind of the driver's own control frame that is due and may be sent now; 0 for none. */
  protected get dueOwn(): number {
    return 0
  }

  /** The name of a kind, for messages about a peer that broke the protocol. */
  protected nameOf(kind: number): string {
    return frameName(kind)
  }

  /**
   * Takes a frame from the peer whose form was checked.
   *
   * @param count receives ever posted by the peer, from the frame's header
   * @returns what the peer did wrong, for {@link brokenProtocol}; `undefined` if nothing
   */
  protected take(kind: number, count: number): string | undefined {
    const next = TRANSITIONS[this.life][eventOf(kind)]
    if (next === undefined) return `${this.nameOf(kind)} while ${this.life}`
    if (!this.credits.onCount(count)) {
      return `a count of ${count} receives after ${this.credits.posted}, with ${this.credits.sent} frames sent`
    }
    this.posted--
    this.life = next
    if (kind === FrameKind.fin && next === 'parting') this.doneDue = true
    return undefined
  }

  /** Whether a DATA frame may be sent, as far as receives are concerned. */
  get maySendData(): boolean {
    return this.credits.allows(RESERVE.data)
  }

  /** The counts are sent with a frame. @returns the count of receives ever posted, for its header */
  announce(): number {
    return this.receives.announce()
  }

  /** This end sends no more data: FIN is due. No effect in a state from which it cannot finish. */
  finish(): void {
    const next = TRANSITIONS[this.life].finish
    if (next === undefined) return
    this.life = next
    this.finDue = true
    if (next === 'parting') this.doneDue = true
  }

  /**
   * The connection failed. No effect if it did before.
   * @param resetReason for the RESET that is due then.
   * @default none
   */
  fail(resetReason?: number): void {
    const next = TRANSITIONS[this.life].fail
    if (next === undefined) return
    this.life = next
    if (!this.saidLast) this.resetReason = resetReason
  }

  /** Whether both ends have finished. */
  get isParting(): boolean {
    return this.life === 'parting' || this.life === 'parted'
  }

  /** Whether a last frame, DONE or RESET, has still to be sent. */
  get isLastDue(): boolean {
    return !this.saidLast && (this.life === 'failed' ? this.resetReason !== undefined : this.doneDue)
  }

  /** Counts receives that were posted. */
  onPosted(count: number): void {
    this.posted += count
    this.receives.onPosted(count)
  }

  /** The kind of the control frame that is due and may be sent now; 0 for none. Data staged before it is sent first. */
  get dueControl(): number {
    if (this.saidLast) return 0
    if (this.life === 'failed') {
      return this.resetReason === undefined ? 0 : this.ifAllowed(FrameKind.reset, RESERVE.last)
    }
    if (this.finDue) return this.ifAllowed(FrameKind.fin, RESERVE.fin)
    if (this.doneDue) return this.ifAllowed(FrameKind.done, RESERVE.last)
    if (this.isCreditDue && this.credits.allows(RESERVE.credit)) return FrameKind.credit
    return this.dueOwn
  }

  /** The number in a control frame: RESET's reason, or that of a driver's own kind; else 0. */
  argumentOf(kind: number): number {
    return kind === FrameKind.reset ? this.resetReason! : 0
  }

  /** Counts a frame that was staged, whose header gets the counts when it is posted. */
  onSend(kind: number): void {
    this.credits.onSent()
    if (kind === FrameKind.fin) {
      this.finDue = false
      this.saidFin = true
    } else if (kind === FrameKind.done || kind === FrameKind.reset) this.saidLast = true
  }

  private ifAllowed(kind: number, reserve: number): number {
    return this.credits.allows(reserve) ? kind : 0
  }
}
