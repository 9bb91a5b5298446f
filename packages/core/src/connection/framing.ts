/** The wire format of messages: a 4-byte big-endian length, then the payload. */

/** Length of a message's header in bytes. */
export const HEADER_BYTES = 4
/** The largest payload that a header can announce. */
export const MAX_PAYLOAD_BYTES = 2 ** 32 - 1

/** Writes the header of a payload of `byteLength` bytes. */
export function writeHeader(target: Uint8Array, byteOffset: number, byteLength: number): void {
  target[byteOffset] = byteLength >>> 24
  target[byteOffset + 1] = byteLength >>> 16
  target[byteOffset + 2] = byteLength >>> 8
  target[byteOffset + 3] = byteLength
}

/** The payload length that the header at `byteOffset` announces. */
export function readHeader(source: Uint8Array, byteOffset: number): number {
  return (
    ((source[byteOffset]! << 24) |
      (source[byteOffset + 1]! << 16) |
      (source[byteOffset + 2]! << 8) |
      source[byteOffset + 3]!) >>>
    0
  )
}
