/**
 * The frames of version 1 of the protocol: their kinds, their header, and what makes one malformed.
 * `docs/PROTOCOL.md` describes them byte by byte.
 */
import {
  FrameKind as BaseKind,
  frameName as baseName,
  FRAME_HEADER_BYTES as HEADER_BYTES,
  readUint32,
  writeUint32,
} from '@netts/verbs/endpoint'

export {
  FRAME_HEADER_BYTES as HEADER_BYTES,
  ResetReason,
  readPosted,
  writeFrameHeader as writeHeader,
} from '@netts/verbs/endpoint'

/** The kinds of frames. The numbers are part of the wire format. */
export const FrameKind = {
  ...BaseKind,
  /** Asks the peer for a number of FILLER frames, because more receives are posted than are wanted. */
  reclaim: 6,
  /** Uses up a receive of the peer, so that the peer can give its memory back. */
  filler: 7,
} as const

/** One of {@link FrameKind}. */
export type FrameKindNumber = (typeof FrameKind)[keyof typeof FrameKind]

/** Bytes of the number that follows the header of RESET (the reason) and RECLAIM (how many). */
const ARGUMENT_BYTES = 4

/** The name of a kind in documentation and messages, such as `DATA`. */
export function frameName(kind: number): string {
  return kind === FrameKind.reclaim ? 'RECLAIM' : kind === FrameKind.filler ? 'FILLER' : baseName(kind)
}

/** Whether the header of a kind is followed by a number. */
export function hasArgument(kind: number): boolean {
  return kind === FrameKind.reset || kind === FrameKind.reclaim
}

/** Bytes of a whole control frame of this kind. */
export function controlBytes(kind: number): number {
  return hasArgument(kind) ? HEADER_BYTES + ARGUMENT_BYTES : HEADER_BYTES
}

/** Writes the number after the header of RESET or RECLAIM. @param offset of the frame */
export function writeArgument(bytes: Uint8Array, offset: number, value: number): void {
  writeUint32(bytes, offset + HEADER_BYTES, value)
}

/** Reads the number after the header of RESET or RECLAIM. @param offset of the frame */
export function readArgument(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + HEADER_BYTES)
}

/**
 * Checks the form of a received frame.
 *
 * @param byteLength of the whole frame
 * @returns what is wrong with it, or `undefined`; when nothing is, `bytes[offset]` is a known kind
 */
export function checkFrame(bytes: Uint8Array, offset: number, byteLength: number): string | undefined {
  if (byteLength < HEADER_BYTES) return `a frame of ${byteLength} bytes, too short for its header`
  const kind = bytes[offset] as FrameKindNumber
  if (kind < FrameKind.data || kind > FrameKind.filler) return `an unknown frame kind, ${kind}`
  if ((bytes[offset + 1]! | bytes[offset + 2]! | bytes[offset + 3]!) !== 0) {
    return `${frameName(kind)} with reserved bytes that are not zero`
  }
  if (kind === FrameKind.data) {
    return byteLength === HEADER_BYTES ? 'DATA without data' : undefined
  }
  return byteLength === controlBytes(kind) ? undefined : `${frameName(kind)} of ${byteLength} bytes`
}
