/**
 * Attributes of metrics and spans: the names of OpenTelemetry's semantic conventions where there are any; the others begin
 * with `netts.`.
 */

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

/** The direction of the bytes: `transmit` or `receive`. */
export const ATTR_NETWORK_IO_DIRECTION = 'network.io.direction'
/** The name of the driver, such as `rdma-ring`. */
export const ATTR_WIRE = 'netts.wire'
/** Which side opened the connection: `client` or `server`. */
export const ATTR_ROLE = 'netts.connection.role'
/** The name of a pool. */
export const ATTR_POOL = 'netts.pool.name'

export type Role = 'client' | 'server'

/** The wire of a connection, for metrics. The number of values does not grow with the number of peers. */
export function wireAttributes(wire: string, peer: Address): Attributes {
  return { [ATTR_WIRE]: wire, [ATTR_NETWORK_TRANSPORT]: networkTransport(wire, peer) }
}

/** `tcp` and `unix` as in the conventions; `rdma`, which they do not have; else the name of the driver. */
function networkTransport(wire: string, peer: Address): string {
  if (isPathAddress(peer)) return 'unix'
  return /\b(rdma|tcp)\b/.exec(wire)?.[1] ?? wire
}

/** The address that a client connects to. */
export function serverAttributes(address: Address): Attributes {
  return isPathAddress(address)
    ? { [ATTR_SERVER_ADDRESS]: address.path }
    : { [ATTR_SERVER_ADDRESS]: address.host, [ATTR_SERVER_PORT]: address.port }
}

/** The address of the peer. */
export function peerAttributes(address: Address): Attributes {
  return isPathAddress(address)
    ? { [ATTR_NETWORK_PEER_ADDRESS]: address.path }
    : { [ATTR_NETWORK_PEER_ADDRESS]: address.host, [ATTR_NETWORK_PEER_PORT]: address.port }
}

/** `error.type`: the code of a NettsError, else the name of the error; no attribute without an error. */
export function errorAttributes(error: unknown): Attributes {
  if (error === undefined) return {}
  const type = isNettsError(error) ? error.code : error instanceof Error ? error.name : '_OTHER'
  return { [ATTR_ERROR_TYPE]: type }
}

/** A string that is the same for equal attributes. */
export function keyOf(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)))
}
