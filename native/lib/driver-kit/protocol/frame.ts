/**
 * What the frames of all drivers over RDMA have in common: kinds, header, and the reasons of a RESET. Each driver's
 * `PROTOCOL.md` describes them byte by byte.
 */

/**
 * The kinds of frames. The numbers are part of the wire format. A driver's own kinds begin at {@link FIRST_OWN_KIND}.
 */
export const FrameKind = {
  /** Bytes of the stream: at least one. */
  data: 1,
  /** Carries the header's counts and nothing else. */
  credit: 2,
  /** Its sender sends no more data, only control frames. */
  fin: 3,
  /** Both ends have sent FIN, and everything up to the peer's has arrived. The last frame of its sender. */
  done: 4,
  /** The sender gave up; data may be lost. The last frame of its sender. */
  reset: 5,
} as const

/** One of {@link FrameKind}. */
export type FrameKindNumber = (typeof FrameKind)[keyof typeof FrameKind]

/** The first number for a driver's own kinds: control frames that do not change the state of a connection. */
export const FIRST_OWN_KIND = 6

/** Why a RESET was sent. The numbers are part of the wire format; an unknown one is treated as `destroyed`. */
export const ResetReason = {
  /** The program destroyed its transport. */
  destroyed: 0,
  /** The receiver of the RESET broke the protocol. */
  protocol: 1,
  /** The peer did not receive something, or did not finish, within a deadline. */
  timeout: 2,
} as const

/** Bytes of the header that every frame begins with: kind, three zeros, and the count of receives ever posted. */
export const FRAME_HEADER_BYTES = 8

const NAMES = ['', 'DATA', 'CREDIT', 'FIN', 'DONE', 'RESET']

/** The name of a kind in documentation and messages, such as `DATA`; `frame kind N` for an unknown one. */
export function frameName(kind: number): string {
  return NAMES[kind] || `frame kind ${kind}`
}

/**
 * Writes the {@link FRAME_HEADER_BYTES} that every frame begins with.
 * @param kind one of {@link FrameKind}, or a driver's own
 * @param posted receives ever posted, modulo 2^32
 */
export function writeFrameHeader(bytes: Uint8Array, offset: number, kind: number, posted: number): void {
  bytes[offset] = kind
  bytes[offset + 1] = 0
  bytes[offset + 2] = 0
  bytes[offset + 3] = 0
  writeUint32(bytes, offset + 4, posted)
}

/** Reads the count of receives ever posted from the header at `offset`. */
export function readPosted(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + 4)
}

/** Writes an unsigned 32-bit integer, big-endian, to the 4 bytes at `offset`. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

/** Reads an unsigned 32-bit integer, big-endian, from the 4 bytes at `offset`. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  )
}
