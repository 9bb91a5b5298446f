/** What the two ends tell each other in the CM's private data: this driver's part of the hello, 16 bytes. */
import { decodeSizes, encodeSizes, type Sizes } from '@netts/verbs/endpoint'
import { HEADER_BYTES } from './frame.js'

/** What an end can take. */
export interface Hello extends Omit<Sizes, 'byteLength'> {
  /** Size of every receive in bytes, header included: no longer frame may be sent. */
  readonly bufferSize: number
}

/** So that `maxSendSize` is at least 1024, as the transport contract wants it. */
export const LEAST_BUFFER_SIZE = 1024 + HEADER_BYTES
/** InfiniBand's longest message is 2^31 bytes; nobody needs half of that. */
export const MOST_BUFFER_SIZE = 2 ** 30

/** @returns 16 bytes, each number big-endian */
export function encodeHello({ bufferSize, ...rest }: Hello): Uint8Array {
  return encodeSizes({ byteLength: bufferSize, ...rest })
}

/** Reads a peer's hello. @returns it, or what is wrong with it in words fit for a rejection */
export function decodeHello(bytes: Uint8Array): Hello | string {
  const sizes = decodeSizes(bytes)
  if (typeof sizes === 'string') return sizes
  const { byteLength: bufferSize, ...rest } = sizes
  if (bufferSize >= LEAST_BUFFER_SIZE && bufferSize <= MOST_BUFFER_SIZE) return { bufferSize, ...rest }
  return `buffers of ${bufferSize} bytes are not within ${LEAST_BUFFER_SIZE} to ${MOST_BUFFER_SIZE}`
}
