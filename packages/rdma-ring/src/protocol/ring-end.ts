/**
 * The protocol state of one end of a connection: what all drivers have, and the positions in both rings. A send needs a
 * receive at the peer, which is posted again at once, and room in the peer's ring, which its program releases.
 */
import { FrameKind, ProtocolEnd, RESERVE, readPosted, receivesFor } from '@netts/verbs/endpoint'
import { Chunks } from './chunks.js'
import { checkControl, checkData, HEADER_BYTES, readReleased } from './frame.js'
import type { Hello } from './hello.js'
import { ReceiveSpace } from './receive-space.js'
import { SendSpace } from './send-space.js'

/**
 * One receive for so many bytes of the ring, within the bounds below. Each reserves room in a completion queue as long
 * as the connection exists. Because receives are posted again as soon as they were read, they only limit how many
 * frames may arrive between two turns of the event loop.
 */
const BYTES_PER_RECEIVE = 1024
const LEAST_WINDOW = 16
const MOST_WINDOW = 4096

/** How many receives for data a ring of this capacity has. */
export function windowFor(capacity: number): number {
  return Math.min(MOST_WINDOW, Math.max(LEAST_WINDOW, capacity / BYTES_PER_RECEIVE))
}

/** How many receives must be unannounced before a CREDIT frame is due: half of the window. */
export function dueFor(window: number): number {
  return Math.max(2, window >> 1)
}

/** How many receives are posted for such a window, those for control frames included. */
export function ringReceives(window: number): number {
  return receivesFor(window, dueFor(window))
}

/** The protocol state of one end. */
export class RingEnd extends ProtocolEnd {
  /** Positions in the peer's ring. */
  readonly out: SendSpace
  /** Positions in this end's own ring. */
  readonly in: ReceiveSpace
  /** The chunks in this end's own ring. */
  readonly chunks = new Chunks()
  private readonly wanted: number
  private readonly due: number

  /**
   * @param local what this end said in its hello
   * @param peer what the peer said in its own
   * @param window how many receives for data are wanted
   */
  constructor(local: Hello, peer: Hello, window: number) {
    super(local, peer)
    this.out = new SendSpace(peer.capacity)
    this.in = new ReceiveSpace(local.capacity)
    this.wanted = ringReceives(window)
    this.due = dueFor(window)
  }

  /** How many receives are to be posted now: 0 while they are too few to be worth a call. */
  get dueReceives(): number {
    const missing = this.wanted - this.posted
    return missing > 0 && this.receives.isDue(this.due, missing) ? missing : 0
  }

  /** Whether a send of so many bytes may be sent now, in as many frames as it needs. */
  maySend(byteLength: number): boolean {
    const frames = this.out.framesFor(byteLength)
    return frames > 0 && this.credits.allows(RESERVE.data + frames - 1)
  }

  /**
   * Takes a doorbell: a frame was written up to this position.
   * @param ring the bytes of this end's ring
   * @returns what the peer did wrong, or `undefined`
   */
  onDoorbell(ring: Uint8Array, position: number): string | undefined {
    const byteLength = this.in.frameBytesTo(position)
    if (byteLength === 0) return `a frame up to position ${position} after ${this.in.received}`
    const offset = this.in.next & (this.in.capacity - 1)
    const problem =
      checkData(ring, offset, byteLength) ??
      // Not the kind in the ring: the peer could have changed it since it was checked.
      this.onFrame(FrameKind.data, readPosted(ring, offset), readReleased(ring, offset))
    if (problem === undefined) this.onChunk(offset + HEADER_BYTES, byteLength - HEADER_BYTES, position)
    return problem
  }

  /**
   * Takes a frame that came as a Send.
   * @returns what the peer did wrong, or `undefined`
   */
  onControlFrame(bytes: Uint8Array, offset: number, byteLength: number): string | undefined {
    return (
      checkControl(bytes, offset, byteLength) ??
      this.onFrame(bytes[offset]!, readPosted(bytes, offset), readReleased(bytes, offset))
    )
  }

  /**
   * Takes a frame whose form was checked.
   *
   * @param count receives ever posted by the peer, from its header
   * @param released the position from its header
   * @returns what the peer did wrong, or `undefined`
   */
  onFrame(kind: number, count: number, released: number): string | undefined {
    if (!this.out.mayBeReleased(released)) {
      return `position ${released} as released after ${this.out.released}, with ${this.out.produced} written`
    }
    const lie = this.take(kind, count)
    if (lie !== undefined) return lie
    this.out.onReleased(released)
    return undefined
  }

  /**
   * Queues the DATA frame that was taken as a chunk.
   * @param offset of its data in the ring
   * @param end the position after it
   */
  onChunk(offset: number, byteLength: number, end: number): void {
    this.in.onReceived(end)
    this.chunks.queue(offset, byteLength, end)
  }

  /**
   * Hands out the oldest queued chunk, unless the program would hold more than half of the ring then: the other half is
   * for what the peer sends.
   * @returns its index; -1 for none
   */
  handOut(): number {
    const { chunks } = this
    return chunks.queued > 0 && chunks.outBytesWithNext <= this.in.capacity / 2 ? chunks.handOut() : -1
  }

  /** Releases a chunk that is handed out. */
  release(index: number): void {
    this.chunks.release(index)
    this.in.onReleased(this.chunks.releasedTo)
  }

  /** Releases the chunks that were not handed out. */
  discardQueued(): void {
    this.chunks.discardQueued()
    this.in.onReleased(this.chunks.releasedTo)
  }

  override announce(): number {
    this.in.announce()
    return super.announce()
  }

  get isCreditDue(): boolean {
    return this.receives.isDue(this.due) || this.in.isDue
  }
}
