/**
 * Positions in the stream of bytes that goes through a ring. They only grow, and are kept modulo 2^32 as they are on the
 * wire: a ring is so much smaller that the difference of two positions is never in doubt. Its capacity is a power of
 * two, so that a position says where in the ring it is, also across the wrap at 2^32.
 *
 * A frame is not split. What does not fit before the ring's end goes into a frame of its own from its beginning on; where
 * no more than a header is left before the end, nothing is put there.
 */
import { HEADER_BYTES } from './frame.js'

/** How far it is from one position to a later one. */
export function distance(from: number, to: number): number {
  return (to - from) >>> 0
}

/** Bytes from a position to the ring's end: from 1 to `capacity`. */
export function toEnd(position: number, capacity: number): number {
  return capacity - (position & (capacity - 1))
}

/** Bytes before the ring's end that are left unused, as the next frame begins behind them. */
export function skipped(position: number, capacity: number): number {
  const left = toEnd(position, capacity)
  return left > HEADER_BYTES ? 0 : left
}
