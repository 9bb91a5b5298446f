/**
 * One end of a connection as the protocol sees it: counts, the state of its life, and which control frame is to
 * go next. It does no I/O, and its fields are plain, so that copies of it can be put to every interleaving.
 */
import { RESERVE, ReceiveCredits, receivesFor, SendCredits } from './credits.js'
import { FrameKind, type FrameKindNumber, frameName } from './frame.js'
import type { Hello } from './hello.js'
import { type LifeEvent, type LifeState, TRANSITIONS } from './lifecycle.js'
import { ReceiveWindow } from './receive-window.js'

/** See above. */
export class ProtocolEnd {
  life: LifeState = 'open'
  readonly credits: SendCredits
  readonly receives: ReceiveCredits
  readonly window: ReceiveWindow
  /** Receives that are posted and not used up. */
  posted: number
  /** The last frame of this end is on its way: DONE or RESET. */
  saidLast = false
  /** FIN is on its way. */
  saidFin = false
  private finDue = false
  private doneDue = false
  private resetReason: number | undefined
  private fillersOwed = 0
  private reclaimDue = 0

  /**
   * @param local what this end said in its hello
   * @param peer what the peer said in its own
   * @param window how many receives for data are wanted, at first and at most
   */
  constructor(local: Hello, peer: Hello, window: { readonly least: number; readonly most: number }) {
    this.posted = local.posted
    this.receives = new ReceiveCredits(local.posted)
    this.credits = new SendCredits(peer.posted, peer.maxPosted)
    this.window = new ReceiveWindow(window.least, window.most)
  }

  /** Whether a DATA frame may go. */
  get maySendData(): boolean {
    return this.credits.allows(RESERVE.data)
  }

  /** How many receives are wanted, control included. */
  get wantedReceives(): number {
    return receivesFor(this.window.size)
  }

  /** How many could be posted now; below 0 when the window has shrunk. */
  get missingReceives(): number {
    return this.wantedReceives - this.posted
  }

  /** How many receives for data are left to the peer; below 0 when it has used some of the others. */
  get dataReceives(): number {
    return this.posted - (this.wantedReceives - this.window.size)
  }

  /**
   * A frame came, of a good shape.
   *
   * @param argument of RECLAIM
   * @returns what the peer did wrong, or `undefined`
   */
  onFrame(kind: FrameKindNumber, count: number, argument: number): string | undefined {
    const event = frameName(kind) as LifeEvent
    const next = TRANSITIONS[this.life][event]
    if (next === undefined) return `${event} while ${this.life}`
    if (!this.credits.onCount(count)) {
      return `a count of ${count} receives after ${this.credits.posted}, with ${this.credits.sent} frames sent`
    }
    this.posted--
    if (kind === FrameKind.data) this.window.onUsed(this.dataReceives)
    this.life = next
    if (kind === FrameKind.fin && next === 'parting') this.doneDue = true
    else if (kind === FrameKind.reclaim) this.fillersOwed = argument
    return undefined
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

  /** Time passed. Asks the peer to use up receives that are too many. */
  tick(): void {
    this.window.tick(this.dataReceives)
    this.reclaimDue = Math.max(0, this.posted - this.wantedReceives)
  }

  /** The control frame that is due and may go now; 0 for none. Data accepted before goes first. */
  get dueControl(): FrameKindNumber | 0 {
    if (this.saidLast) return 0
    if (this.life === 'failed') {
      return this.resetReason === undefined ? 0 : this.ifAllowed(FrameKind.reset, RESERVE.last)
    }
    if (this.finDue) return this.ifAllowed(FrameKind.fin, RESERVE.fin)
    if (this.doneDue) return this.ifAllowed(FrameKind.done, RESERVE.last)
    if (this.receives.isDue(this.window.size) && this.credits.allows(RESERVE.credit)) return FrameKind.credit
    if (this.fillersOwed > 0 && this.maySendData) return FrameKind.filler
    if (this.reclaimDue > 0 && this.maySendData) return FrameKind.reclaim
    return 0
  }

  /** The number that goes with RESET or RECLAIM. */
  argumentOf(kind: FrameKindNumber): number {
    return kind === FrameKind.reset ? this.resetReason! : kind === FrameKind.reclaim ? this.reclaimDue : 0
  }

  /** A frame goes. Its header gets the count when it is posted, from {@link ReceiveCredits.announce}. */
  onSend(kind: FrameKindNumber): void {
    this.credits.onSent()
    if (kind === FrameKind.fin) {
      this.finDue = false
      this.saidFin = true
    } else if (kind === FrameKind.done || kind === FrameKind.reset) this.saidLast = true
    else if (kind === FrameKind.filler) this.fillersOwed--
    else if (kind === FrameKind.reclaim) this.reclaimDue = 0
  }

  private ifAllowed(kind: FrameKindNumber, reserve: number): FrameKindNumber | 0 {
    return this.credits.allows(reserve) ? kind : 0
  }
}
