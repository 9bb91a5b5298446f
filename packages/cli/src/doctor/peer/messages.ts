/**
 * The protocol between two doctors: JSON messages over TCP (the control connection), and requests over the wire that is
 * tested, whose first byte is the kind of request.
 */
import { NettsError } from '@netts/core'
import type { Counters } from '../facts.js'

/** The version of the protocol, which must be the same on both hosts. */
export const PEER_VERSION = 1

/** The default port of `doctor --serve`. */
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

/** What a doctor says about its host. */
export interface Greeting {
  readonly version: number
  readonly host: string
  /** The version of `@netts/cli`. */
  readonly nettsVersion: string
  readonly kernelRelease: string
  readonly nodeVersion: string
  readonly route: RouteEnd
}

/** Counters of a host: those of its device, by `PORT/NAME`, and retransmitted segments of TCP. */
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

/** Parses a question. @throws NettsError `ERR_NETTS_PROTOCOL` for anything else */
export function parseQuestion(bytes: Uint8Array): Question {
  const value = parse(bytes) as Partial<Question> | null
  if (typeof value === 'object' && value !== null) {
    const { ask } = value
    if (ask === 'greeting' || ask === 'stop' || ask === 'counters') return { ask }
    if (ask === 'listen' && WIRES.includes((value as { wire: Wire }).wire)) {
      return { ask, wire: (value as { wire: Wire }).wire }
    }
  }
  throw new NettsError('ERR_NETTS_PROTOCOL', 'the peer sent a question that this doctor does not know')
}

/** Parses JSON. @throws NettsError `ERR_NETTS_PROTOCOL` for anything else */
export function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch (cause) {
    throw new NettsError(
      'ERR_NETTS_PROTOCOL',
      'the peer sent something that is not JSON; is it a netts doctor?',
      {
        cause,
      },
    )
  }
}

/** The first byte of a request over the wire that is tested. */
export const REQUEST = {
  /** Send all of it back. */
  echo: 1,
  /** Answer with one byte: 1 if it is {@link pattern}. */
  take: 2,
  /** Answer with {@link pattern} of the length that follows, 4 bytes big-endian. */
  give: 3,
} as const

/** The largest transfer that a peer may request, in bytes. */
export const MOST_BYTES = 16 << 20

/** Pseudo-random bytes that both sides can compute. @param first the first byte */
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
