/** Endpoints from DNS: the addresses of a name, or the SRV records of a service. */
import { lookup, resolveSrv } from 'node:dns/promises'
import { NettsError } from '@netts/core'
import { checkInteger, checkOptionNames, invalidArgument } from '@netts/core/driver'
import type { Endpoint } from './endpoint-list.js'
import { PolledLists } from './polled-lists.js'

/** An SRV record (RFC 2782), as `resolveSrv` of node:dns returns it. */
export interface SrvRecord {
  /** The host name of the target; empty or `.` when the service is not available. */
  readonly name: string
  /** The port of the service on that host. */
  readonly port: number
  /** 0 to 65535. Only the targets of the lowest priority are used. */
  readonly priority: number
  /** 0 to 65535: the share of the traffic among the targets of one priority. */
  readonly weight: number
}

/** Options of {@link dnsEndpoints}. */
export interface DnsEndpointsOptions {
  /** How long after an answer the name is looked up again, in milliseconds; at least 1. @default 30000 */
  readonly refreshMs?: number | undefined
  /** Looks up the IP addresses of a name. @default `lookup` of node:dns with `all: true`, that is getaddrinfo(3) */
  readonly resolve?: ((host: string) => Promise<readonly string[]>) | undefined
}

/** Options of {@link srvEndpoints}. */
export interface SrvEndpointsOptions {
  /** How long after an answer the name is looked up again, in milliseconds; at least 1. @default 30000 */
  readonly refreshMs?: number | undefined
  /** Looks up the SRV records of a name. @default `resolveSrv` of node:dns */
  readonly resolve?: ((name: string) => Promise<readonly SrvRecord[]>) | undefined
}

/**
 * Endpoints for {@link PoolOptions.endpoints}: each address of a host name is one endpoint. Use it for a service whose
 * replicas share a name (a headless service of Kubernetes, for example), and for a host with several networks.
 *
 * The name is looked up once the pool is made and again every `refreshMs`. A lookup that fails or finds no address leaves
 * the list unchanged; the pool reports an `endpoints-failed` event and tries again after up to 30 s.
 *
 * @param port the port of every address, 1 to 65535
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an empty name, or a port or option out of range
 */
export function dnsEndpoints(
  host: string,
  port: number,
  options: DnsEndpointsOptions = {},
): AsyncIterable<readonly Endpoint<never>[]> {
  checkOptionNames('options', options, ['refreshMs', 'resolve'])
  checkName('host', host)
  checkInteger('port', port, 1, 65_535)
  const { resolve = lookUpAddresses } = options
  return new PolledLists(async () => {
    const addresses = [...new Set(await resolve(host))]
    if (addresses.length === 0) throw nothingFound(host, 'addresses')
    return addresses.map((address) => ({ address: { host: address, port } }))
  }, refreshOf(options))
}

/**
 * Endpoints for {@link PoolOptions.endpoints}: the targets of a service's SRV records (RFC 2782), with their ports and
 * weights. Only the targets of the lowest priority number are used; a weight of 0 becomes 0.1.
 *
 * The name is looked up once the pool is made and again every `refreshMs`. A lookup that fails or finds no target leaves
 * the list unchanged; the pool reports an `endpoints-failed` event and tries again after up to 30 s.
 *
 * @param name the name of the records, such as `_store._tcp.example.org`
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an empty name, or an option that is unknown or out of range
 */
export function srvEndpoints(
  name: string,
  options: SrvEndpointsOptions = {},
): AsyncIterable<readonly Endpoint<never>[]> {
  checkOptionNames('options', options, ['refreshMs', 'resolve'])
  checkName('name', name)
  const { resolve = resolveSrv } = options
  return new PolledLists(async () => {
    // RFC 2782: a target of "." means that the service is not available; node:dns returns it as an empty name.
    const records = (await resolve(name)).filter((record) => record.name !== '' && record.name !== '.')
    if (records.length === 0) throw nothingFound(name, 'SRV records')
    const priority = Math.min(...records.map((record) => record.priority))
    const byAddress = new Map<string, Endpoint<never>>()
    for (const record of records) {
      if (record.priority !== priority) continue
      const { name: host, port } = record
      // RFC 2782: targets of weight 0 have a very small chance to be selected beside others.
      byAddress.set(`${host}:${port}`, { address: { host, port }, weight: record.weight || 0.1 })
    }
    return [...byAddress.values()]
  }, refreshOf(options))
}

async function lookUpAddresses(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

function refreshOf({ refreshMs = 30_000 }: { readonly refreshMs?: number | undefined }): number {
  return checkInteger('refreshMs', refreshMs, 1, 0x7fffffff)
}

function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '') throw invalidArgument(`${what} must be a non-empty string`)
}

function nothingFound(name: string, what: string): NettsError {
  return new NettsError('ERR_NETTS_CONNECT_FAILED', `the lookup of ${name} found no ${what}`, {
    operation: 'lookup',
  })
}
