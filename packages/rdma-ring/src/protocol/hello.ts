/** What the two ends tell each other before any frame: sizes in the hello, and the ring's address and key in READY. */
import { decodeSizes, encodeSizes, type Sizes } from '@netts/verbs/endpoint'

/** The driver's part of a hello. */
export interface Hello extends Omit<Sizes, 'byteLength'> {
  /** Size of its ring in bytes: a power of two. */
  readonly capacity: number
}

/** Where a ring is, for the peer that writes it. */
export interface RingAddress {
  /** The 64-bit address of its first byte. */
  readonly address: bigint
  /** The 32-bit key to write it with. */
  readonly key: number
}

/** Bytes of the driver's part of READY. */
export const READY_BYTES = 12
/** A page: less cannot be pinned, and a quarter of it is the least `maxSendSize`. */
export const LEAST_CAPACITY = 4096
/** So small that the distance of two positions modulo 2^32 is never ambiguous. */
export const MOST_CAPACITY = 2 ** 26

/** Whether a ring may have this size in bytes. */
export function isCapacity(value: number): boolean {
  return value >= LEAST_CAPACITY && value <= MOST_CAPACITY && (value & (value - 1)) === 0
}

/** Encodes a hello: 16 bytes, each number big-endian. */
export function encodeHello({ capacity, ...rest }: Hello): Uint8Array {
  return encodeSizes({ byteLength: capacity, ...rest })
}

/** Decodes a peer's hello. @returns it, or a sentence that says what is wrong with it, for the refusal */
export function decodeHello(bytes: Uint8Array): Hello | string {
  const sizes = decodeSizes(bytes)
  if (typeof sizes === 'string') return sizes
  const { byteLength: capacity, ...rest } = sizes
  if (isCapacity(capacity)) return { capacity, ...rest }
  return `a ring of ${capacity} bytes is not a power of two from ${LEAST_CAPACITY} to ${MOST_CAPACITY}`
}

/** Encodes a READY: 12 bytes, each number big-endian. */
export function encodeReady({ address, key }: RingAddress): Uint8Array {
  const bytes = new Uint8Array(READY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, address)
  view.setUint32(8, key)
  return bytes
}

/** Decodes a peer's READY. @returns it, or what is wrong with it */
export function decodeReady(bytes: Uint8Array): RingAddress | string {
  if (bytes.byteLength < READY_BYTES) return `READY has ${bytes.byteLength} bytes, not ${READY_BYTES}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, READY_BYTES)
  return { address: view.getBigUint64(0), key: view.getUint32(8) }
}
