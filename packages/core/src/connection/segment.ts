/** Received memory with whole messages in it: a chunk of the transport, or one assembled message. */
import { NettsError } from '../errors.js'
import type { MessageLease } from './connection.js'
import { HEADER_BYTES, readHeader } from './framing.js'

/** The `bufIdx` of memory that is not the transport's. */
export const OWN_MEMORY = -1
/** The `headlessByteLength` of a segment that begins with a header. */
export const HAS_HEADER = -1

/** Who gets a segment back once nobody reads it any more. */
export interface SegmentOwner {
  onFree(segment: Segment): void
}

/** Messages in a row. It is freed when all of them were taken and their leases released. */
export class Segment {
  bytes: Uint8Array
  bufIdx: number
  /** The next message begins here, and ends before {@link end}. */
  position: number
  end: number
  /** The next message's payload length, if its header was somewhere else. */
  headlessByteLength: number
  /** Counted by the owner as held by leases. */
  isPinned = false
  next: Segment | undefined
  readonly owner: SegmentOwner
  // The queue's own reference is one of them.
  #references = 1

  constructor(
    owner: SegmentOwner,
    bytes: Uint8Array,
    bufIdx: number,
    position: number,
    end: number,
    headlessByteLength: number,
  ) {
    this.owner = owner
    this.bytes = bytes
    this.bufIdx = bufIdx
    this.position = position
    this.end = end
    this.headlessByteLength = headlessByteLength
  }

  /** Steps over the next message. @returns its payload's length; the payload ends at {@link position} */
  takeMessage(): number {
    let byteLength = this.headlessByteLength
    if (byteLength === HAS_HEADER) {
      byteLength = readHeader(this.bytes, this.position)
      this.position += HEADER_BYTES
    } else {
      this.headlessByteLength = HAS_HEADER
    }
    this.position += byteLength
    return byteLength
  }

  /** Whether every message was taken. */
  get isTaken(): boolean {
    return this.position === this.end && this.headlessByteLength === HAS_HEADER
  }

  retain(): void {
    this.#references++
  }

  release(): void {
    if (--this.#references === 0) this.owner.onFree(this)
  }
}

/**
 * 56 bytes of heap: kept to four fields on purpose. A private method that isn't static would cost every object
 * another one, its brand.
 */
export class SegmentLease implements MessageLease {
  readonly #byteLength: number
  readonly #byteOffset: number
  #segment: Segment | undefined
  #bytes: Uint8Array | undefined

  constructor(segment: Segment, byteOffset: number, byteLength: number) {
    this.#segment = segment
    this.#byteOffset = byteOffset
    this.#byteLength = byteLength
  }

  get bytes(): Uint8Array {
    const { bytes } = SegmentLease.#held(this, 'bytes')
    this.#bytes ??= new Uint8Array(bytes.buffer, bytes.byteOffset + this.#byteOffset, this.#byteLength)
    return this.#bytes
  }

  get byteLength(): number {
    SegmentLease.#held(this, 'byteLength')
    return this.#byteLength
  }

  get chunk(): Uint8Array {
    return SegmentLease.#held(this, 'chunk').bytes
  }

  get byteOffset(): number {
    SegmentLease.#held(this, 'byteOffset')
    return this.#byteOffset
  }

  release(): void {
    const segment = SegmentLease.#held(this, 'release')
    this.#segment = this.#bytes = undefined
    segment.release()
  }

  [Symbol.dispose](): void {
    this.release()
  }

  static #held(lease: SegmentLease, operation: string): Segment {
    const segment = lease.#segment
    if (segment === undefined) throw leaseReleased(operation)
    return segment
  }
}

function leaseReleased(operation: string): NettsError {
  return new NettsError('ERR_NETTS_BUFFER_RELEASED', 'this lease was released before', { operation })
}
