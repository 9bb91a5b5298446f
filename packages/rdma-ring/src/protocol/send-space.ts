/** The peer's ring as the sender sees it: what was written, what of that the peer has released, and what fits. */
import { HEADER_BYTES } from './frame.js'
import { distance, skipped, toEnd } from './position.js'

/** See above. Its fields are plain, for the model. */
export class SendSpace {
  readonly capacity: number
  /** Where the next frame may begin. */
  produced = 0
  /** As the peer said last. */
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

  /** In how many frames so many bytes of data go now, all of them: 1 or 2; 0 when there is no room. */
  framesFor(byteLength: number): 0 | 1 | 2 {
    if (byteLength <= this.room) return 1
    const { capacity, produced } = this
    const skip = skipped(produced, capacity)
    if (byteLength <= toEnd(produced + skip, capacity) - HEADER_BYTES) return 0
    // The first frame ends at the ring's end, and the second begins at its beginning. Nothing is skipped then.
    return this.used + 2 * HEADER_BYTES + byteLength <= capacity ? 2 : 0
  }

  /** A frame is written. @param byteLength of its data, at most {@link room} @returns where in the ring it begins */
  place(byteLength: number): number {
    const start = this.produced + skipped(this.produced, this.capacity)
    this.produced = (start + HEADER_BYTES + byteLength) >>> 0
    return start & (this.capacity - 1)
  }

  /** Whether the peer may have released so much: never less than before, and no more than was written. */
  mayBeReleased(position: number): boolean {
    return distance(this.released, position) <= this.used
  }

  /** The peer has released everything up to there. */
  onReleased(position: number): void {
    this.released = position
  }
}
