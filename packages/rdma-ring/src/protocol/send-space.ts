/** The sender's positions in the peer's ring: what was written, what the peer has released, and what fits. */
import { HEADER_BYTES } from './frame.js'
import { distance, skipped, toEnd } from './position.js'

/** The positions. It has no `#private` fields, so that a model checker can copy it. */
export class SendSpace {
  /** Size of the peer's ring in bytes. */
  readonly capacity: number
  /** The position after the last frame. */
  produced = 0
  /** The position up to which the peer has released everything, as it said last. */
  released = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Bytes that the peer has not released, as far as this end knows. */
  get used(): number {
    return distance(this.released, this.produced)
  }

  /** The most bytes of data that one frame may have now; 0 or less for none. */
  get room(): number {
    const { capacity, produced } = this
    const skip = skipped(produced, capacity)
    return Math.min(capacity - this.used - skip, toEnd(produced + skip, capacity)) - HEADER_BYTES
  }

  /** How many frames so many bytes of data need now: 1 or 2; 0 when there is no room for all of them. */
  framesFor(byteLength: number): 0 | 1 | 2 {
    if (byteLength <= this.room) return 1
    const { capacity, produced } = this
    const skip = skipped(produced, capacity)
    if (byteLength <= toEnd(produced + skip, capacity) - HEADER_BYTES) return 0
    // The first frame ends at the ring's end, and the second begins at its beginning.
    return this.used + skip + 2 * HEADER_BYTES + byteLength <= capacity ? 2 : 0
  }

  /**
   * Takes the place for a frame.
   * @param byteLength of its data, at most {@link room}
   * @returns its offset in the ring
   */
  place(byteLength: number): number {
    const start = this.produced + skipped(this.produced, this.capacity)
    this.produced = (start + HEADER_BYTES + byteLength) >>> 0
    return start & (this.capacity - 1)
  }

  /** Whether the peer can have released everything up to there: no less than before, and no more than was written. */
  mayBeReleased(position: number): boolean {
    return distance(this.released, position) <= this.used
  }

  /** The peer has released everything up to there. */
  onReleased(position: number): void {
    this.released = position
  }
}
