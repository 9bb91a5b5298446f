/**
 * One end of a connection as the protocol sees it: what every driver's protocol has, and the window of receives that
 * grows and shrinks, with the fillers that use up receives which are too many.
 */
import { ProtocolEnd as BaseProtocolEnd, dueAt, receivesFor } from '@netts/verbs/endpoint'
import { FrameKind, type FrameKindNumber, frameName } from './frame.js'
import type { Hello } from './hello.js'
import { ReceiveWindow } from './receive-window.js'

/** See above. */
export class ProtocolEnd extends BaseProtocolEnd {
  readonly window: ReceiveWindow
  private fillersOwed = 0
  private reclaimDue = 0

  /**
   * @param local what this end said in its hello
   * @param peer what the peer said in its own
   * @param window how many receives for data are wanted, at first and at most
   */
  constructor(local: Hello, peer: Hello, window: { readonly least: number; readonly most: number }) {
    super(local, peer)
    this.window = new ReceiveWindow(window.least, window.most)
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
    const lie = this.take(kind, count)
    if (lie !== undefined) return lie
    if (kind === FrameKind.data) this.window.onUsed(this.dataReceives)
    else if (kind === FrameKind.reclaim) this.fillersOwed = argument
    return undefined
  }

  /** Time passed. Asks the peer to use up receives that are too many. */
  tick(): void {
    this.window.tick(this.dataReceives)
    this.reclaimDue = Math.max(0, this.posted - this.wantedReceives)
  }

  override argumentOf(kind: number): number {
    return kind === FrameKind.reclaim ? this.reclaimDue : super.argumentOf(kind)
  }

  override onSend(kind: number): void {
    super.onSend(kind)
    if (kind === FrameKind.filler) this.fillersOwed--
    else if (kind === FrameKind.reclaim) this.reclaimDue = 0
  }

  get isCreditDue(): boolean {
    return this.receives.isDue(dueAt(this.window.size))
  }

  protected override get dueOwn(): number {
    if (this.fillersOwed > 0 && this.maySendData) return FrameKind.filler
    return this.reclaimDue > 0 && this.maySendData ? FrameKind.reclaim : 0
  }

  protected override nameOf(kind: number): string {
    return frameName(kind)
  }
}
