/**
 * Positions in the stream of bytes that goes through a ring. They only grow, modulo 2^32, as on the wire. A ring is so
 * much smaller that the distance of two positions is never ambiguous. Its capacity is a power of two, so that a
 * position modulo the capacity is a place in the ring, also across the wrap at 2^32.
 *
 * A frame is not split. What does not fit before the ring's end goes into another frame, at the ring's beginning. Where
 * no more than a header is left before the end, nothing is put there.
 */
import { HEADER_BYTES } from './frame.js'

/** Bytes from one position to a later one. */
export function distance(from: number, to: number): number {
  return (to - from) >>> 0
}

/** Bytes from a position to the ring's end: from 1 to `capacity`. */
export function toEnd(position: number, capacity: number): number {
  return capacity - (position & (capacity - 1))
}

/**
 * Bytes from a position to the ring's end that are left unused, because the next frame begins at the ring's beginning.
 */
export function skipped(position: number, capacity: number): number {
  const left = toEnd(position, capacity)
  return left > HEADER_BYTES ? 0 : left
}
