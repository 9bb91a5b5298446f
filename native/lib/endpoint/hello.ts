/**
 * What both ends send before any data, byte by byte. All integers are unsigned and big-endian.
 *
 * Hello, in the private data of the connection manager's request and reply, at most 56 bytes:
 * ```
 *  0  4  magic 'NTTS'
 *  4  1  length of the whole hello, since InfiniBand and RoCE pad private data with zeros
 *  5  1  version of the driver's protocol
 *  6  1  driver
 *  7  1  features: reserved, 0; unknown ones are ignored
 *  8  …  the driver's own: sizes, slots
 * ```
 * Refusal, in the private data of a rejection, at most 148 bytes:
 * ```
 *  0  4  magic 'NTTR'
 *  4  1  length of the whole refusal
 *  5  1  reason
 *  6  …  text for people, UTF-8
 * ```
 * READY, the first Send of either end, at most 64 bytes:
 * ```
 *  0  4  magic 'NTTY'
 *  4  …  the driver's own: a ring's address and key
 * ```
 */
import { NettsError } from '@netts/core'
import { PRIVATE_DATA_BYTES } from '../verbs/cm.js'

const HELLO_MAGIC = 0x4e545453
const REFUSAL_MAGIC = 0x4e545452
const READY_MAGIC = 0x4e545459
const HELLO_HEADER_BYTES = 8
const REFUSAL_HEADER_BYTES = 6
const READY_HEADER_BYTES = 4

/** The most bytes of a driver's own part of the hello. */
export const HELLO_BODY_BYTES: number = PRIVATE_DATA_BYTES.connect - HELLO_HEADER_BYTES
/** The most bytes of a READY. */
export const READY_BYTES = 64
/** The most bytes of a driver's own part of READY. */
export const READY_BODY_BYTES: number = READY_BYTES - READY_HEADER_BYTES

/** A driver's protocol. A connection needs the same at both ends. */
export interface ProtocolIdentity {
  /** The driver's number: 1 for rdma-sendrecv, 2 for rdma-ring; from 128 on for others. */
  readonly driver: number
  /** The version of its protocol, from 1 to 255. */
  readonly version: number
}

/** Why a connection request was refused. The numbers are part of the wire format; unknown ones are read as `other`. */
export const RefusalReason = {
  /** None of the others. */
  other: 0,
  /** The listener's backlog is full. */
  busy: 1,
  /** The request has no hello of netts. */
  notNetts: 2,
  /** The driver is the same, and its protocol has another version. */
  version: 3,
  /** No driver of this number listens there. */
  driver: 4,
  /** The hello is malformed, or the driver refused its part of it. */
  invalid: 5,
  /** Memory or something else was missing. */
  resources: 6,
  /** The listener was closed. */
  closed: 7,
} as const

const REFUSALS: Record<number, string> = {
  [RefusalReason.other]: 'it gave no reason',
  [RefusalReason.busy]: 'its backlog is full',
  [RefusalReason.notNetts]: 'it did not understand the request',
  [RefusalReason.version]: 'it uses another version of the protocol',
  [RefusalReason.driver]: 'it runs another driver',
  [RefusalReason.invalid]: 'it found the request invalid',
  [RefusalReason.resources]: 'it lacks memory or other resources',
  [RefusalReason.closed]: 'it is closing',
}

/** Thrown for a hello that is refused. */
export class HelloError extends Error {
  /** One of {@link RefusalReason}. */
  readonly reason: number

  constructor(reason: number, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Builds a hello. @throws RangeError for a body of more than {@link HELLO_BODY_BYTES} */
export function encodeHello(identity: ProtocolIdentity, body: Uint8Array): Uint8Array {
  const hello = new Uint8Array(HELLO_HEADER_BYTES + body.byteLength)
  if (hello.byteLength > PRIVATE_DATA_BYTES.connect) {
    throw new RangeError(`a hello's body has at most ${HELLO_BODY_BYTES} bytes, not ${body.byteLength}`)
  }
  const view = new DataView(hello.buffer)
  view.setUint32(0, HELLO_MAGIC)
  hello[4] = hello.byteLength
  hello[5] = identity.version
  hello[6] = identity.driver
  hello.set(body, HELLO_HEADER_BYTES)
  return hello
}

/**
 * Reads the driver's number from a peer's hello.
 * @throws HelloError for anything but a hello
 */
export function readDriver(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < HELLO_HEADER_BYTES || view.getUint32(0) !== HELLO_MAGIC) {
    throw new HelloError(RefusalReason.notNetts, 'the request has no hello of netts')
  }
  return bytes[6] as number
}

/**
 * Reads a peer's hello. @returns the driver's own part
 * @throws HelloError for anything but a hello of this driver and version
 */
export function decodeHello(identity: ProtocolIdentity, bytes: Uint8Array): Uint8Array {
  const driver = readDriver(bytes)
  const [byteLength, version] = bytes.subarray(4, 6) as unknown as [number, number]
  if (driver !== identity.driver) {
    throw new HelloError(RefusalReason.driver, `the peer runs driver ${driver}, not ${identity.driver}`)
  }
  if (version !== identity.version) {
    throw new HelloError(RefusalReason.version, `the peer uses version ${version}, not ${identity.version}`)
  }
  if (byteLength < HELLO_HEADER_BYTES || byteLength > bytes.byteLength) {
    throw new HelloError(RefusalReason.invalid, `a hello of ${byteLength} bytes in ${bytes.byteLength}`)
  }
  return bytes.slice(HELLO_HEADER_BYTES, byteLength)
}

/** Builds the private data of a rejection. Text that does not fit is cut off. @param reason a {@link RefusalReason} */
export function encodeRefusal(reason: number, text: string): Uint8Array {
  const refusal = new Uint8Array(PRIVATE_DATA_BYTES.reject)
  const { written } = new TextEncoder().encodeInto(text, refusal.subarray(REFUSAL_HEADER_BYTES))
  new DataView(refusal.buffer).setUint32(0, REFUSAL_MAGIC)
  refusal[4] = REFUSAL_HEADER_BYTES + written
  refusal[5] = reason
  return refusal.slice(0, REFUSAL_HEADER_BYTES + written)
}

/** Describes a rejection in words, also one that does not come from netts. @param bytes its private data */
export function describeRefusal(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < REFUSAL_HEADER_BYTES || view.getUint32(0) !== REFUSAL_MAGIC) {
    return REFUSALS[RefusalReason.other] as string
  }
  const byteLength = Math.min(bytes[4] as number, bytes.byteLength)
  const text = new TextDecoder().decode(bytes.subarray(REFUSAL_HEADER_BYTES, byteLength))
  const reason = REFUSALS[bytes[5] as number] ?? REFUSALS[RefusalReason.other]
  return text === '' ? (reason as string) : `${reason}: ${text}`
}

/**
 * Writes a READY into `target`. @returns its length in bytes
 * @throws RangeError for a body of more than {@link READY_BODY_BYTES}
 */
export function encodeReady(target: Uint8Array, body: Uint8Array): number {
  if (body.byteLength > READY_BODY_BYTES) {
    throw new RangeError(`a READY's body has at most ${READY_BODY_BYTES} bytes, not ${body.byteLength}`)
  }
  new DataView(target.buffer, target.byteOffset).setUint32(0, READY_MAGIC)
  target.set(body, READY_HEADER_BYTES)
  return READY_HEADER_BYTES + body.byteLength
}

/**
 * Reads a READY. @returns the driver's own part
 * @throws NettsError `ERR_NETTS_PROTOCOL`
 */
export function decodeReady(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < READY_HEADER_BYTES || view.getUint32(0) !== READY_MAGIC) {
    throw new NettsError('ERR_NETTS_PROTOCOL', "the peer's first message was not READY")
  }
  return bytes.slice(READY_HEADER_BYTES)
}
