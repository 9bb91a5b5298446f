/**
 * The frames of version 1 of the protocol: their header, and what makes one malformed. `docs/PROTOCOL.md` describes
 * them byte by byte.
 *
 * A DATA frame is written into the peer's ring, and a doorbell gives its end: immediate data, or on iWARP a Send. Every
 * other frame is a Send.
 */
import { FRAME_HEADER_BYTES, FrameKind, frameName, readUint32, writeUint32 } from '@netts/verbs/endpoint'

/** Bytes of a header: the {@link FRAME_HEADER_BYTES} of every driver, the position released, and the argument. */
export const HEADER_BYTES: number = FRAME_HEADER_BYTES + 8
/** Bytes of a doorbell that is a Send: a position. */
export const DOORBELL_BYTES = 4

/** Writes the position up to which the sender of the frame has released its own ring. */
export function writeReleased(bytes: Uint8Array, offset: number, released: number): void {
  writeUint32(bytes, offset + FRAME_HEADER_BYTES, released)
}

/** Writes the argument: for DATA the bytes that follow the header, for RESET the reason, else 0. */
export function writeArgument(bytes: Uint8Array, offset: number, argument: number): void {
  writeUint32(bytes, offset + FRAME_HEADER_BYTES + 4, argument)
}

/** Reads the position up to which the sender of the frame has released its own ring. */
export function readReleased(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + FRAME_HEADER_BYTES)
}

/** Reads the argument: for DATA the bytes that follow the header, for RESET the reason, else 0. */
export function readArgument(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + FRAME_HEADER_BYTES + 4)
}

/**
 * Checks the form of a frame in the ring.
 * @param byteLength of the whole frame, from its doorbell
 * @returns what is wrong with it, or `undefined`
 */
export function checkData(bytes: Uint8Array, offset: number, byteLength: number): string | undefined {
  const kind = bytes[offset]!
  if (kind !== FrameKind.data) return `${frameName(kind)} in the ring`
  const argument = readArgument(bytes, offset)
  if (argument !== byteLength - HEADER_BYTES) {
    return `DATA of ${argument} bytes where its doorbell says ${byteLength - HEADER_BYTES}`
  }
  return checkZeros(bytes, offset)
}

/** Checks the form of a frame that came as a Send. @returns what is wrong with it, or `undefined` */
export function checkControl(bytes: Uint8Array, offset: number, byteLength: number): string | undefined {
  if (byteLength !== HEADER_BYTES) return `a frame of ${byteLength} bytes, not ${HEADER_BYTES}`
  const kind = bytes[offset]!
  if (kind < FrameKind.credit || kind > FrameKind.reset) return `${frameName(kind)} outside of the ring`
  if (kind !== FrameKind.reset && readArgument(bytes, offset) !== 0) {
    return `${frameName(kind)} with an argument`
  }
  return checkZeros(bytes, offset)
}

function checkZeros(bytes: Uint8Array, offset: number): string | undefined {
  if ((bytes[offset + 1]! | bytes[offset + 2]! | bytes[offset + 3]!) === 0) return undefined
  return `${frameName(bytes[offset]!)} with reserved bytes that are not zero`
}
