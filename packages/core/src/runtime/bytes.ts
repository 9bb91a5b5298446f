/** Bytes as programs hand them over: of any realm, and in memory that may go away. */
import { types } from 'node:util'

/**
 * The bytes as a Uint8Array of this realm; `undefined` for anything else. What comes from a `vm` context, or from a
 * test runner that has one for each file, is no instance of this realm's Uint8Array.
 */
export function toBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (!types.isUint8Array(value)) return undefined
  // One whose memory was taken away has nothing to make a view of, and who gets it can tell it from one without bytes.
  return value.length === 0 ? value : new Uint8Array(value.buffer, value.byteOffset, value.length)
}

/** No bytes. */
export const NO_BYTES = new Uint8Array(0)
