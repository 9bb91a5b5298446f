/** The receiver's positions in its own ring: what arrived, what was released, and when the peer has to be told. */
import { HEADER_BYTES } from './frame.js'
import { distance, skipped, toEnd } from './position.js'

/** A frame has no more data than this part of the ring, so that the half that a program may hold has room for it. */
const FRAME_PART = 1 / 4
/** At least this part of the ring has to be released and unannounced before a CREDIT frame is worth sending. */
const WORTH_PART = 1 / 10
/** And at least this part has to be in use, as far as the peer knows: below that, the peer has room for any send. */
const USED_PART = 1 / 2

/** The positions. It has no `#private` fields, so that a model checker can copy it. */
export class ReceiveSpace {
  /** Size of the ring in bytes. */
  readonly capacity: number
  /** The position after the last frame that arrived. */
  received = 0
  /** The position up to which everything was released. */
  released = 0
  /** The {@link released} that was sent to the peer last. */
  announced = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** The position at which the next frame begins. */
  get next(): number {
    return (this.received + skipped(this.received, this.capacity)) >>> 0
  }

  /**
   * The length in bytes of the next frame, header included, if it ends at this position, as the peer says.
   * @returns 0 if no frame can end there: it would be empty, too long, or overwrite what was not announced as released
   */
  frameBytesTo(position: number): number {
    const { capacity, next } = this
    const byteLength = distance(next, position)
    const most = Math.min(toEnd(next, capacity), HEADER_BYTES + capacity * FRAME_PART)
    const fits = byteLength > HEADER_BYTES && byteLength <= most
    // It must not reach beyond what the peer was told to be free.
    return fits && distance(this.announced, next) + byteLength <= capacity ? byteLength : 0
  }

  /** The next frame has arrived, and ends at this position. */
  onReceived(position: number): void {
    this.received = position
  }

  /** Everything up to this position was released. */
  onReleased(position: number): void {
    this.released = position
  }

  /**
   * Whether the peer has to be told, by a CREDIT frame if no other frame is sent: it has used half of the ring, as far
   * as it knows, and a tenth of the ring was released without its knowledge. A peer that waits for room does not have
   * to say so: no send needs more than a quarter of the ring, so it has used more than half then.
   */
  get isDue(): boolean {
    const unannounced = distance(this.announced, this.released)
    const used = distance(this.announced, this.received)
    return unannounced >= this.capacity * WORTH_PART && used >= this.capacity * USED_PART
  }

  /** {@link released} is sent with a frame. */
  announce(): void {
    this.announced = this.released
  }
}
