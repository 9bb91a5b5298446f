/** The part of a hello that all drivers have: the size of what an end receives into, and its receives. 16 bytes. */
import { LEAST_POSTED } from './credits.js'
import type { PostedReceives } from './protocol-end.js'

/** What an end can receive. */
export interface Sizes extends PostedReceives {
  /** Bytes of what the driver receives into: one buffer of rdma-sendrecv, the whole ring of rdma-ring. */
  readonly byteLength: number
  /** Bits for later versions. Version 1 sends 0 and ignores the bits of the peer. */
  readonly features: number
}

/** Bytes of encoded {@link Sizes}. */
export const SIZES_BYTES = 16
/** The most receives that a hello may announce: more than any device has. */
export const MOST_POSTED: number = 2 ** 20

/** Encodes sizes: 16 bytes, four unsigned 32-bit integers, big-endian. */
export function encodeSizes({ byteLength, posted, maxPosted, features }: Sizes): Uint8Array {
  const bytes = new Uint8Array(SIZES_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, byteLength)
  view.setUint32(4, posted)
  view.setUint32(8, maxPosted)
  view.setUint32(12, features)
  return bytes
}

/**
 * Decodes the sizes in a peer's hello.
 * @returns them, with `byteLength` and `features` unchecked; or a sentence that says what is wrong, for the refusal
 */
export function decodeSizes(bytes: Uint8Array): Sizes | string {
  if (bytes.byteLength < SIZES_BYTES) return `the hello has ${bytes.byteLength} bytes, not ${SIZES_BYTES}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, SIZES_BYTES)
  const posted = view.getUint32(4)
  const maxPosted = view.getUint32(8)
  if (maxPosted > MOST_POSTED) return `${maxPosted} receives are more than ${MOST_POSTED}`
  if (posted < LEAST_POSTED || posted > maxPosted) {
    return `${posted} receives are not within ${LEAST_POSTED} to the announced most, ${maxPosted}`
  }
  return { byteLength: view.getUint32(0), posted, maxPosted, features: view.getUint32(12) }
}
