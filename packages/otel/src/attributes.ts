/** Attributes of metrics and spans: OpenTelemetry's names where there are any, and `netts.` before the others. */

import { type Address, isNettsError, isPathAddress } from '@netts/core'
import type { Attributes } from '@opentelemetry/api'
import {
  ATTR_ERROR_TYPE,
  ATTR_NETWORK_PEER_ADDRESS,
  ATTR_NETWORK_PEER_PORT,
  ATTR_NETWORK_TRANSPORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
} from '@opentelemetry/semantic-conventions'

/** Which way bytes went: `transmit` or `receive`. */
export const ATTR_NETWORK_IO_DIRECTION = 'network.io.direction'
/** The name of the driver, such as `rdma-ring`. */
export const ATTR_WIRE = 'netts.wire'
/** Which side opened the connection: `client` or `server`. */
export const ATTR_ROLE = 'netts.connection.role'
/** The name of a pool. */
export const ATTR_POOL = 'netts.pool.name'

export type Role = 'client' | 'server'

/** What a connection runs on, for metrics: few values, whoever connects. */
export function wireAttributes(wire: string, peer: Address): Attributes {
  return { [ATTR_WIRE]: wire, [ATTR_NETWORK_TRANSPORT]: networkTransport(wire, peer) }
}

/** `tcp` and `unix` as the conventions say, `rdma` for what they do not know, else the driver’s name. */
function networkTransport(wire: string, peer: Address): string {
  if (isPathAddress(peer)) return 'unix'
  return /\b(rdma|tcp)\b/.exec(wire)?.[1] ?? wire
}

/** Where a client connects to. */
export function serverAttributes(address: Address): Attributes {
  return isPathAddress(address)
    ? { [ATTR_SERVER_ADDRESS]: address.path }
    : { [ATTR_SERVER_ADDRESS]: address.host, [ATTR_SERVER_PORT]: address.port }
}

/** Who is at the other end. */
export function peerAttributes(address: Address): Attributes {
  return isPathAddress(address)
    ? { [ATTR_NETWORK_PEER_ADDRESS]: address.path }
    : { [ATTR_NETWORK_PEER_ADDRESS]: address.host, [ATTR_NETWORK_PEER_PORT]: address.port }
}

/** The code of an error, where it is one of netts; none without an error. */
export function errorAttributes(error: unknown): Attributes {
  if (error === undefined) return {}
  const type = isNettsError(error) ? error.code : error instanceof Error ? error.name : '_OTHER'
  return { [ATTR_ERROR_TYPE]: type }
}

/** One string for equal attributes. */
export function keyOf(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)))
}
