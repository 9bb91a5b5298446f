/** What the two ends tell each other before any frame: sizes in the hello, and where the ring is in READY. */
import { decodeSizes, encodeSizes, type Sizes } from '@netts/verbs/endpoint'

/** What an end can take. */
export interface Hello extends Omit<Sizes, 'byteLength'> {
  /** Size of its ring in bytes: a power of two. */
  readonly capacity: number
}

/** Where a ring is, for who may write it. */
export interface RingAddress {
  readonly address: bigint
  readonly key: number
}

/** Bytes of READY. */
export const READY_BYTES = 12
/** A page: less can't be pinned, and `maxSendSize` has to be 1024 at least. */
export const LEAST_CAPACITY = 4096
export const MOST_CAPACITY = 2 ** 26

/** Whether a ring may be of this size. */
export function isCapacity(value: number): boolean {
  return value >= LEAST_CAPACITY && value <= MOST_CAPACITY && (value & (value - 1)) === 0
}

/** @returns 16 bytes, each number big-endian */
export function encodeHello({ capacity, ...rest }: Hello): Uint8Array {
  return encodeSizes({ byteLength: capacity, ...rest })
}

/** Reads a peer's hello. @returns it, or what is wrong with it in words fit for a rejection */
export function decodeHello(bytes: Uint8Array): Hello | string {
  const sizes = decodeSizes(bytes)
  if (typeof sizes === 'string') return sizes
  const { byteLength: capacity, ...rest } = sizes
  if (isCapacity(capacity)) return { capacity, ...rest }
  return `a ring of ${capacity} bytes is no power of two from ${LEAST_CAPACITY} to ${MOST_CAPACITY}`
}

/** @returns 12 bytes, big-endian */
export function encodeReady({ address, key }: RingAddress): Uint8Array {
  const bytes = new Uint8Array(READY_BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, address)
  view.setUint32(8, key)
  return bytes
}

/** Reads a peer's READY. @returns it, or what is wrong with it */
export function decodeReady(bytes: Uint8Array): RingAddress | string {
  if (bytes.byteLength < READY_BYTES) return `READY has ${bytes.byteLength} bytes, not ${READY_BYTES}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, READY_BYTES)
  return { address: view.getBigUint64(0), key: view.getUint32(8) }
}
