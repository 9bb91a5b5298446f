/** Bytes that programs pass: of any realm, and in memory that may be detached. */
import { types } from 'node:util'

/**
 * The bytes as a Uint8Array of this realm; `undefined` for anything else. A Uint8Array of a `vm` context, which some test
 * runners have for each file, is not an instance of this realm's class.
 */
export function toBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (!types.isUint8Array(value)) return undefined
  // The caller must be able to distinguish an array whose memory was detached from an empty one.
  return value.length === 0 ? value : new Uint8Array(value.buffer, value.byteOffset, value.length)
}

/** No bytes. */
export const NO_BYTES = new Uint8Array(0)
