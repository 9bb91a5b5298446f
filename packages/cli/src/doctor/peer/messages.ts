/**
 * What two doctors say to each other: JSON messages over TCP (the control connection), and requests over the wire that is
 * tried, whose first byte says what to do.
 */
import { NettsError } from '@netts/core'
import type { Counters } from '../facts.js'

/** Both doctors must have the same. */
export const PEER_VERSION = 1

/** Where `doctor --serve` listens unless told otherwise. */
export const PEER_PORT = 18_516

/** The wires, in the order in which they are tried. */
export const WIRES = ['tcp', 'sendrecv', 'ring'] as const
export type Wire = (typeof WIRES)[number]

/** The local end of the route to the peer. */
export interface RouteEnd {
  readonly address: string
  /** The interface that has the address. */
  readonly interface: string | undefined
  readonly mtuBytes: number | undefined
  /** The RDMA device that the address is on. */
  readonly device: string | undefined
  readonly transport: 'infiniband' | 'iwarp' | undefined
  readonly rdmaMtuBytes: number | undefined
  /** Such as `GID 1: RoCE v2`. */
  readonly gids: readonly string[]
  /** Addresses of this host that are on an RDMA device. */
  readonly rdmaAddresses: readonly string[]
}

/** Who is there. */
export interface Greeting {
  readonly version: number
  readonly host: string
  /** The version of `@netts/cli`. */
  readonly nettsVersion: string
  readonly kernelRelease: string
  readonly nodeVersion: string
  readonly route: RouteEnd
}

/** Counters of a host: of its device, by `PORT/NAME`, and what TCP sent again. */
export interface HostCounters {
  readonly device: Counters
  readonly tcpRetransmissions: number
}

/** What the client asks for. */
export type Question =
  | { readonly ask: 'greeting' }
  /** Listen over a wire, at the address of the control connection. */
  | { readonly ask: 'listen'; readonly wire: Wire }
  /** Stop listening, and end what was accepted. */
  | { readonly ask: 'stop' }
  | { readonly ask: 'counters' }

/** What the server answers, by question. */
export interface Answers {
  readonly greeting: Greeting
  readonly listen: { readonly port: number } | { readonly error: string }
  readonly stop: Record<string, never>
  readonly counters: HostCounters
}

/** @throws NettsError `ERR_NETTS_PROTOCOL` for anything else than a question */
export function parseQuestion(bytes: Uint8Array): Question {
  const value = parse(bytes) as Partial<Question> | null
  if (typeof value === 'object' && value !== null) {
    const { ask } = value
    if (ask === 'greeting' || ask === 'stop' || ask === 'counters') return { ask }
    if (ask === 'listen' && WIRES.includes((value as { wire: Wire }).wire)) {
      return { ask, wire: (value as { wire: Wire }).wire }
    }
  }
  throw new NettsError('ERR_NETTS_PROTOCOL', 'the peer asked for something that this doctor does not know')
}

/** @throws NettsError `ERR_NETTS_PROTOCOL` unless it is JSON */
export function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch (cause) {
    throw new NettsError('ERR_NETTS_PROTOCOL', 'the peer sent what is no JSON: is it a netts doctor?', {
      cause,
    })
  }
}

/** The first byte of a request over the wire that is tried. */
export const REQUEST = {
  /** Send all of it back. */
  echo: 1,
  /** Answer with one byte: 1 if it is {@link pattern}. */
  take: 2,
  /** Answer with {@link pattern} of the length that follows, 4 bytes big-endian. */
  give: 3,
} as const

/** The most that a peer may ask to be given. */
export const MOST_BYTES = 16 << 20

/** Bytes that both sides know, with no part like another. */
export function pattern(byteLength: number, first: number): Buffer {
  const bytes = Buffer.allocUnsafe(byteLength)
  let state = 0x9e3779b9
  let at = 0
  for (; at + 4 <= byteLength; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes.writeUInt32LE(state, at)
  }
  bytes.fill(state & 0xff, at)
  if (byteLength > 0) bytes[0] = first
  return bytes
}
