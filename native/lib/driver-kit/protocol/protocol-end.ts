/**
 * One end of a connection as every driver's protocol sees it: counts of receives, the state of its life, and which
 * control frame is to go next. A driver extends it by what its data needs. It does no I/O, and its fields are plain, so
 * that copies of it can be put to every interleaving.
 */
import { RESERVE, ReceiveCredits, SendCredits } from './credits.js'
import { FrameKind, frameName } from './frame.js'
import { eventOf, type LifeState, TRANSITIONS } from './lifecycle.js'

/** What an end says of its receives in its hello. */
export interface PostedReceives {
  /** Receives posted (and counted) when the hello was sent. */
  readonly posted: number
  /** The most receives that will ever be posted at a time. */
  readonly maxPosted: number
}

/** See above. */
export abstract class ProtocolEnd {
  /** Where the connection is in its life. */
  life: LifeState = 'open'
  /** What the peer lets this end send. */
  readonly credits: SendCredits
  /** What this end lets the peer send. */
  readonly receives: ReceiveCredits
  /** Receives that are posted and not used up. */
  posted: number
  /** The last frame of this end is on its way: DONE or RESET. */
  saidLast = false
  /** FIN is on its way. */
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

  /** Whether the peer has to be told the counts, by a frame of its own if need be. */
  abstract readonly isCreditDue: boolean

  /** The control frame of the driver's own kind that is due and may go now; 0 for none. */
  protected get dueOwn(): number {
    return 0
  }

  /** The name of a kind, for what is said of a peer that broke the protocol. */
  protected nameOf(kind: number): string {
    return frameName(kind)
  }

  /**
   * Takes a frame of a good shape.
   *
   * @param count of receives, as its header says
   * @returns what the peer did wrong, or `undefined`
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

  /** Whether a DATA frame may go. */
  get maySendData(): boolean {
    return this.credits.allows(RESERVE.data)
  }

  /** The counts go out with a frame. @returns that of receives */
  announce(): number {
    return this.receives.announce()
  }

  /** Nothing more will be sent. */
  finish(): void {
    const next = TRANSITIONS[this.life].finish
    if (next === undefined) return
    this.life = next
    this.finDue = true
    if (next === 'parting') this.doneDue = true
  }

  /** The end, unless it failed before. @param resetReason what the peer shall be told, where it can be */
  fail(resetReason?: number): void {
    const next = TRANSITIONS[this.life].fail
    if (next === undefined) return
    this.life = next
    if (!this.saidLast) this.resetReason = resetReason
  }

  /** Both ends have finished. */
  get isParting(): boolean {
    return this.life === 'parting' || this.life === 'parted'
  }

  /** Whether a last frame is still to be said. */
  get isLastDue(): boolean {
    return !this.saidLast && (this.life === 'failed' ? this.resetReason !== undefined : this.doneDue)
  }

  /** So many receives were posted. */
  onPosted(count: number): void {
    this.posted += count
    this.receives.onPosted(count)
  }

  /** The control frame that is due and may go now; 0 for none. Data accepted before goes first. */
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

  /** The number that goes with a control frame: the reason of RESET, or what the driver's own kind says. */
  argumentOf(kind: number): number {
    return kind === FrameKind.reset ? this.resetReason! : 0
  }

  /** A frame goes. Its header gets the counts when it is posted. */
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
