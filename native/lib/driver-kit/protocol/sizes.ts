/** What drivers say in their hellos alike: the size of what an end receives into, and its receives. 16 bytes. */
import { LEAST_POSTED } from './credits.js'
import type { PostedReceives } from './protocol-end.js'

/** What an end can take. */
export interface Sizes extends PostedReceives {
  /** Size in bytes, of what the driver receives into. */
  readonly byteLength: number
  /** Bits for what later versions may add. Version 1 sends 0 and ignores what it does not know. */
  readonly features: number
}

/** Bytes of the encoding. */
export const SIZES_BYTES = 16
/** More receives than any device has. */
export const MOST_POSTED: number = 2 ** 20

/** @returns 16 bytes, each number big-endian */
export function encodeSizes({ byteLength, posted, maxPosted, features }: Sizes): Uint8Array {
  const bytes = new Uint8Array(SIZES_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, byteLength)
  view.setUint32(4, posted)
  view.setUint32(8, maxPosted)
  view.setUint32(12, features)
  return bytes
}

/** Reads a peer's. @returns it, `byteLength` unchecked, or what is wrong with it in words fit for a rejection */
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
