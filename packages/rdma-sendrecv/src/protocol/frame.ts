/**
 * The frames of version 1 of the protocol: their kinds, their header, and what makes one malformed.
 * `docs/PROTOCOL.md` has the same byte by byte.
 */

/** What a frame is. The numbers are part of the wire format. */
export const FrameKind = {
  /** Bytes of the stream: at least one. */
  data: 1,
  /** Nothing but the header's count. */
  credit: 2,
  /** Nothing more will be sent but control frames. */
  fin: 3,
  /** Both ends have sent FIN, and everything up to the peer's has arrived. The last frame of its sender. */
  done: 4,
  /** The sender gave up; data may be lost. The last frame of its sender. */
  reset: 5,
  /** Asks for so many fillers, because more receives are posted than are needed. */
  reclaim: 6,
  /** Uses up a receive, so that its memory can go to somebody else. */
  filler: 7,
} as const

/** One of {@link FrameKind}. */
export type FrameKindNumber = (typeof FrameKind)[keyof typeof FrameKind]

/** Why a RESET was sent. The numbers are part of the wire format; unknown ones are taken as `destroyed`. */
export const ResetReason = {
  /** The program destroyed its transport. */
  destroyed: 0,
  /** The receiver of the RESET broke the protocol. */
  protocol: 1,
  /** A deadline passed: for the peer to take something, or to finish. */
  timeout: 2,
} as const

/** Bytes of a frame's header: kind, three zeros, and the count of receives ever posted, big-endian. */
export const HEADER_BYTES = 8
/** Bytes of the number that follows the header of RESET (the reason) and RECLAIM (how many). */
export const ARGUMENT_BYTES = 4
/** The longest frame that is not DATA. */
export const MAX_CONTROL_BYTES = HEADER_BYTES + ARGUMENT_BYTES

const NAMES = ['', 'DATA', 'CREDIT', 'FIN', 'DONE', 'RESET', 'RECLAIM', 'FILLER']

/** The name of a kind as the documentation writes it. */
export function frameName(kind: number): string {
  return NAMES[kind] || `frame kind ${kind}`
}

/** Writes a header. */
export function writeHeader(bytes: Uint8Array, offset: number, kind: FrameKindNumber, posted: number): void {
  bytes[offset] = kind
  bytes[offset + 1] = 0
  bytes[offset + 2] = 0
  bytes[offset + 3] = 0
  writeUint32(bytes, offset + 4, posted)
}

/** Whether a kind is followed by a number. */
export function hasArgument(kind: number): boolean {
  return kind === FrameKind.reset || kind === FrameKind.reclaim
}

/** Bytes of a control frame of this kind. */
export function controlBytes(kind: FrameKindNumber): number {
  return hasArgument(kind) ? MAX_CONTROL_BYTES : HEADER_BYTES
}

/** Writes the number behind the header of RESET and RECLAIM. */
export function writeArgument(bytes: Uint8Array, offset: number, value: number): void {
  writeUint32(bytes, offset + HEADER_BYTES, value)
}

/** The header's count. */
export function readPosted(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + 4)
}

/** The number behind the header of RESET and RECLAIM. */
export function readArgument(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + HEADER_BYTES)
}

/**
 * Checks the shape of a received frame.
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
    return byteLength === HEADER_BYTES ? 'DATA without any' : undefined
  }
  return byteLength === controlBytes(kind) ? undefined : `${frameName(kind)} of ${byteLength} bytes`
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  )
}
