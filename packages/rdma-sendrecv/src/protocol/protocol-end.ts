/**
 * The protocol state of one end of a connection: what all drivers have, and the window of receives, which grows and
 * shrinks; FILLER frames use up the receives that are too many.
 */
import { ProtocolEnd as BaseProtocolEnd, dueAt, receivesFor } from '@netts/verbs/endpoint'
import { FrameKind, type FrameKindNumber, frameName } from './frame.js'
import type { Hello } from './hello.js'
import { ReceiveWindow } from './receive-window.js'

/** The protocol state of one end. */
export class ProtocolEnd extends BaseProtocolEnd {
  /** How many receives for data are wanted. */
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

  /** How many receives are wanted, those for control frames included. */
  get wantedReceives(): number {
    return receivesFor(this.window.size)
  }

  /** How many receives are missing; less than 0 when the window has shrunk. */
  get missingReceives(): number {
    return this.wantedReceives - this.posted
  }

  /** How many receives for data the peer has left; less than 0 when it has used some of those for control frames. */
  get dataReceives(): number {
    return this.posted - (this.wantedReceives - this.window.size)
  }

  /**
   * Takes a frame whose form was checked.
   *
   * @param count receives ever posted by the peer, from its header
   * @param argument the number after the header of RECLAIM
   * @returns what the peer did wrong, or `undefined`
   */
  onFrame(kind: FrameKindNumber, count: number, argument: number): string | undefined {
    const lie = this.take(kind, count)
    if (lie !== undefined) return lie
    if (kind === FrameKind.data) this.window.onUsed(this.dataReceives)
    else if (kind === FrameKind.reclaim) this.fillersOwed = argument
    return undefined
  }

  /** To be called once a second: makes a RECLAIM due if more receives are posted than are wanted. */
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
