/** What the two ends tell each other before any frame: sizes in the hello, and where the ring is in READY. */
import { LEAST_POSTED } from '@netts/verbs/endpoint'

/** What an end can take. */
export interface Hello {
  /** Size of its ring in bytes: a power of two. */
  readonly capacity: number
  /** Receives posted (and counted) when the hello was sent. */
  readonly posted: number
  /** The most receives that will ever be posted at a time. */
  readonly maxPosted: number
  /** Bits for what later versions may add. Version 1 sends 0 and ignores what it does not know. */
  readonly features: number
}

/** Where a ring is, for who may write it. */
export interface RingAddress {
  readonly address: bigint
  readonly key: number
}

/** Bytes of either encoding. */
export const HELLO_BYTES = 16
export const READY_BYTES = 12
/** A page: less can't be pinned, and `maxSendSize` has to be 1024 at least. */
export const LEAST_CAPACITY = 4096
export const MOST_CAPACITY = 2 ** 26
/** More receives than any device has. */
export const MOST_POSTED = 2 ** 20

/** Whether a ring may be of this size. */
export function isCapacity(value: number): boolean {
  return value >= LEAST_CAPACITY && value <= MOST_CAPACITY && (value & (value - 1)) === 0
}

/** @returns 16 bytes, each number big-endian */
export function encodeHello(hello: Hello): Uint8Array {
  const bytes = new Uint8Array(HELLO_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, hello.capacity)
  view.setUint32(4, hello.posted)
  view.setUint32(8, hello.maxPosted)
  view.setUint32(12, hello.features)
  return bytes
}

/** Reads a peer's hello. @returns it, or what is wrong with it in words fit for a rejection */
export function decodeHello(bytes: Uint8Array): Hello | string {
  if (bytes.byteLength < HELLO_BYTES) return `the hello has ${bytes.byteLength} bytes, not ${HELLO_BYTES}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, HELLO_BYTES)
  const capacity = view.getUint32(0)
  const posted = view.getUint32(4)
  const maxPosted = view.getUint32(8)
  if (!isCapacity(capacity)) {
    return `a ring of ${capacity} bytes is no power of two from ${LEAST_CAPACITY} to ${MOST_CAPACITY}`
  }
  if (maxPosted > MOST_POSTED) return `${maxPosted} receives are more than ${MOST_POSTED}`
  if (posted < LEAST_POSTED || posted > maxPosted) {
    return `${posted} receives are not within ${LEAST_POSTED} to the announced most, ${maxPosted}`
  }
  return { capacity, posted, maxPosted, features: view.getUint32(12) }
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
