/** What the two ends tell each other in the CM's private data: this driver's part of the hello, 16 bytes. */
import { decodeSizes, encodeSizes, type Sizes } from '@netts/verbs/endpoint'
import { HEADER_BYTES } from './frame.js'

/** The driver's part of a hello. */
export interface Hello extends Omit<Sizes, 'byteLength'> {
  /** Size of every receive in bytes, header included: the longest frame that may be sent to this end. */
  readonly bufferSize: number
}

/** With it `maxSendSize` is 1024, the least that the transport contract allows. */
export const LEAST_BUFFER_SIZE = 1024 + HEADER_BYTES
/** Half of InfiniBand's longest message. */
export const MOST_BUFFER_SIZE = 2 ** 30

/** Encodes a hello: 16 bytes, each number big-endian. */
export function encodeHello({ bufferSize, ...rest }: Hello): Uint8Array {
  return encodeSizes({ byteLength: bufferSize, ...rest })
}

/** Decodes a peer's hello. @returns it, or a sentence that says what is wrong with it, for the refusal */
export function decodeHello(bytes: Uint8Array): Hello | string {
  const sizes = decodeSizes(bytes)
  if (typeof sizes === 'string') return sizes
  const { byteLength: bufferSize, ...rest } = sizes
  if (bufferSize >= LEAST_BUFFER_SIZE && bufferSize <= MOST_BUFFER_SIZE) return { bufferSize, ...rest }
  return `buffers of ${bufferSize} bytes are not within ${LEAST_BUFFER_SIZE} to ${MOST_BUFFER_SIZE}`
}
