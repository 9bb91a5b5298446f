/**
 * One end of a connection as the protocol sees it: what every driver's protocol has, and room in both rings. A send needs
 * both: a receive at the peer, which is posted again at once, and room, which comes back as the program releases.
 */
import { FrameKind, ProtocolEnd, RESERVE, readPosted, receivesFor } from '@netts/verbs/endpoint'
import { Chunks } from './chunks.js'
import { checkControl, checkData, HEADER_BYTES, readReleased } from './frame.js'
import type { Hello } from './hello.js'
import { ReceiveSpace } from './receive-space.js'
import { SendSpace } from './send-space.js'

/**
 * One receive for so many bytes of the ring, within these bounds. Each reserves room in a completion queue, for the
 * connection's whole life; and since they are posted again as soon as they were read, they only bound the frames that no
 * turn of the event loop has seen yet.
 */
const BYTES_PER_RECEIVE = 1024
const LEAST_WINDOW = 16
const MOST_WINDOW = 4096

/** How many receives for data a ring of this capacity has. */
export function windowFor(capacity: number): number {
  return Math.min(MOST_WINDOW, Math.max(LEAST_WINDOW, capacity / BYTES_PER_RECEIVE))
}

/** How many receives must be unannounced for a CREDIT frame: half, since they lie idle for nobody. */
export function dueFor(window: number): number {
  return Math.max(2, window >> 1)
}

/** How many receives are posted for such a window, control included. */
export function ringReceives(window: number): number {
  return receivesFor(window, dueFor(window))
}

/** See above. */
export class RingEnd extends ProtocolEnd {
  /** Room in the peer's ring, and in this end's own. */
  readonly out: SendSpace
  readonly in: ReceiveSpace
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

  /** How many receives are to be posted now: none before they are worth a call. */
  get dueReceives(): number {
    const missing = this.wanted - this.posted
    return missing > 0 && this.receives.isDue(this.due, missing) ? missing : 0
  }

  /** Whether a send of so many bytes may go, in as many frames as it takes. */
  maySend(byteLength: number): boolean {
    const frames = this.out.framesFor(byteLength)
    return frames > 0 && this.credits.allows(RESERVE.data + frames - 1)
  }

  /**
   * A doorbell says that a frame was written up to this position.
   * @param ring the bytes of this end's ring
   * @returns what the peer did wrong, or `undefined`
   */
  onDoorbell(ring: Uint8Array, position: number): string | undefined {
    const byteLength = this.in.frameBytesTo(position)
    if (byteLength === 0) return `a frame up to position ${position} after ${this.in.received}`
    const offset = this.in.next & (this.in.capacity - 1)
    const problem =
      checkData(ring, offset, byteLength) ??
      // The kind was checked, and the peer may write another one by now.
      this.onFrame(FrameKind.data, readPosted(ring, offset), readReleased(ring, offset))
    if (problem === undefined) this.onChunk(offset + HEADER_BYTES, byteLength - HEADER_BYTES, position)
    return problem
  }

  /**
   * A frame came as a Send.
   * @returns what the peer did wrong, or `undefined`
   */
  onControlFrame(bytes: Uint8Array, offset: number, byteLength: number): string | undefined {
    return (
      checkControl(bytes, offset, byteLength) ??
      this.onFrame(bytes[offset]!, readPosted(bytes, offset), readReleased(bytes, offset))
    )
  }

  /**
   * A frame came, of a good shape.
   *
   * @param count of receives, as its header says
   * @param released the position that its header says
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

  /** The DATA frame that was taken is a chunk. @param end the position behind it */
  onChunk(offset: number, byteLength: number, end: number): void {
    this.in.onReceived(end)
    this.chunks.queue(offset, byteLength, end)
  }

  /**
   * Hands out the oldest chunk that waits, unless the program holds half of the ring by then: so much it may hold, and
   * there is still room for whatever the peer sends at a time.
   * @returns its index, or -1
   */
  handOut(): number {
    const { chunks } = this
    return chunks.queued > 0 && chunks.outBytesWithNext <= this.in.capacity / 2 ? chunks.handOut() : -1
  }

  /** A chunk is released. */
  release(index: number): void {
    this.chunks.release(index)
    this.in.onReleased(this.chunks.releasedTo)
  }

  /** Chunks that were not handed out are released. */
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
