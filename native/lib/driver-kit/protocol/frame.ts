/**
 * What frames have in common: the kinds that every driver has, the header in front of each, and the reasons of a RESET.
 * A driver's page on its protocol has the same byte by byte.
 */

/** What a frame is. The numbers are part of the wire format; a driver's own kinds follow from {@link FIRST_OWN_KIND} on. */
export const FrameKind = {
  /** Bytes of the stream: at least one. */
  data: 1,
  /** Nothing but the header's counts. */
  credit: 2,
  /** Nothing more will be sent but control frames. */
  fin: 3,
  /** Both ends have sent FIN, and everything up to the peer's has arrived. The last frame of its sender. */
  done: 4,
  /** The sender gave up; data may be lost. The last frame of its sender. */
  reset: 5,
} as const

/** One of {@link FrameKind}. */
export type FrameKindNumber = (typeof FrameKind)[keyof typeof FrameKind]

/** The first kind that is a driver's own: control frames that change nothing about a connection's life. */
export const FIRST_OWN_KIND = 6

/** Why a RESET was sent. The numbers are part of the wire format; unknown ones are taken as `destroyed`. */
export const ResetReason = {
  /** The program destroyed its transport. */
  destroyed: 0,
  /** The receiver of the RESET broke the protocol. */
  protocol: 1,
  /** A deadline passed: for the peer to take something, or to finish. */
  timeout: 2,
} as const

/**
 * Bytes that every frame begins with: kind, three zeros, and the count of receives ever posted, big-endian.
 */
export const FRAME_HEADER_BYTES = 8

const NAMES = ['', 'DATA', 'CREDIT', 'FIN', 'DONE', 'RESET']

/** The name of a kind as the documentation writes it. */
export function frameName(kind: number): string {
  return NAMES[kind] || `frame kind ${kind}`
}

/** Writes what every frame begins with. */
export function writeFrameHeader(bytes: Uint8Array, offset: number, kind: number, posted: number): void {
  bytes[offset] = kind
  bytes[offset + 1] = 0
  bytes[offset + 2] = 0
  bytes[offset + 3] = 0
  writeUint32(bytes, offset + 4, posted)
}

/** The count in the header: receives ever posted. */
export function readPosted(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + 4)
}

/** Writes a number of 32 bits, big-endian. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

/** Reads a number of 32 bits, big-endian. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  )
}
