/** What the two ends tell each other in the CM's private data: this driver's part of the hello, 16 bytes. */
import { LEAST_POSTED } from '@netts/verbs/endpoint'
import { HEADER_BYTES } from './frame.js'

/** What an end can take. */
export interface Hello {
  /** Size of every receive in bytes, header included: no longer frame may be sent. */
  readonly bufferSize: number
  /** Receives posted (and counted) when the hello was sent. */
  readonly posted: number
  /** The most receives that will ever be posted at a time. */
  readonly maxPosted: number
  /** Bits for what later versions may add. Version 1 sends 0 and ignores what it does not know. */
  readonly features: number
}

/** Bytes of the encoding. */
export const HELLO_BYTES = 16
/** So that `maxSendSize` is at least 1024, as the transport contract wants it. */
export const LEAST_BUFFER_SIZE = 1024 + HEADER_BYTES
/** InfiniBand's longest message is 2^31 bytes; nobody needs half of that. */
export const MOST_BUFFER_SIZE = 2 ** 30
/** More receives than any device has. */
export const MOST_POSTED = 2 ** 20

/** @returns 16 bytes, each number big-endian */
export function encodeHello(hello: Hello): Uint8Array {
  const bytes = new Uint8Array(HELLO_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, hello.bufferSize)
  view.setUint32(4, hello.posted)
  view.setUint32(8, hello.maxPosted)
  view.setUint32(12, hello.features)
  return bytes
}

/** Reads a peer's hello. @returns it, or what is wrong with it in words fit for a rejection */
export function decodeHello(bytes: Uint8Array): Hello | string {
  if (bytes.byteLength < HELLO_BYTES) return `the hello has ${bytes.byteLength} bytes, not ${HELLO_BYTES}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, HELLO_BYTES)
  const bufferSize = view.getUint32(0)
  const posted = view.getUint32(4)
  const maxPosted = view.getUint32(8)
  if (bufferSize < LEAST_BUFFER_SIZE || bufferSize > MOST_BUFFER_SIZE) {
    return `buffers of ${bufferSize} bytes are not within ${LEAST_BUFFER_SIZE} to ${MOST_BUFFER_SIZE}`
  }
  if (maxPosted > MOST_POSTED) return `${maxPosted} receives are more than ${MOST_POSTED}`
  if (posted < LEAST_POSTED || posted > maxPosted) {
    return `${posted} receives are not within ${LEAST_POSTED} to the announced most, ${maxPosted}`
  }
  return { bufferSize, posted, maxPosted, features: view.getUint32(12) }
}
