/** This end's ring as the receiver sees it: what arrived, what was released, and when the peer has to be told. */
import { HEADER_BYTES } from './frame.js'
import { distance, skipped, toEnd } from './position.js'

/** A frame has no more data than this part of the ring: a longer one might be more than a program may hold. */
const FRAME_PART = 1 / 4
/** So much of the ring has to be unannounced before a frame goes out for that alone: less would only keep it busy. */
const WORTH_PART = 1 / 10
/** And so much of it used, as far as the peer knows: with less, it has room for more than any send needs. */
const USED_PART = 1 / 2

/** See above. Its fields are plain, for the model. */
export class ReceiveSpace {
  readonly capacity: number
  /** The end of the last frame that arrived. */
  received = 0
  /** Up to there everything was released. */
  released = 0
  /** The position released that the peer was told last. */
  announced = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Where the next frame begins. */
  get next(): number {
    return (this.received + skipped(this.received, this.capacity)) >>> 0
  }

  /**
   * The length of the next frame if it ends at this position, which a peer says.
   * @returns 0 if no frame can end there: it would be empty, too long, or over what was not announced as released
   */
  frameBytesTo(position: number): number {
    const { capacity, next } = this
    const byteLength = distance(next, position)
    const most = Math.min(toEnd(next, capacity), HEADER_BYTES + capacity * FRAME_PART)
    const fits = byteLength > HEADER_BYTES && byteLength <= most
    // Forwards, and not around the ring.
    return fits && distance(this.announced, next) + byteLength <= capacity ? byteLength : 0
  }

  /** The next frame is there, and ends at this position. */
  onReceived(position: number): void {
    this.received = position
  }

  /** Everything up to this position was released. */
  onReleased(position: number): void {
    this.released = position
  }

  /**
   * Whether the peer has to be told, if need be by a frame of its own: it must have used half of the ring by now, and what
   * it does not know of is worth the while. A peer that waits for room never has to say so: no send needs more than a
   * quarter of the ring, so that all of it but a quarter is used then.
   */
  get isDue(): boolean {
    const unannounced = distance(this.announced, this.released)
    const used = distance(this.announced, this.received)
    return unannounced >= this.capacity * WORTH_PART && used >= this.capacity * USED_PART
  }

  /** The position released goes out with a frame. */
  announce(): void {
    this.announced = this.released
  }
}
