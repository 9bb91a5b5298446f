/** Endpoints out of DNS: the addresses of a name, or the SRV records of a service. */
import { lookup, resolveSrv } from 'node:dns/promises'
import { NettsError } from '@netts/core'
import { checkInteger, checkOptionNames, invalidArgument } from '@netts/core/driver'
import type { Endpoint } from './endpoint-list.js'
import { PolledLists } from './polled-lists.js'

/** An SRV record, as node:dns gives it. */
export interface SrvRecord {
  readonly name: string
  readonly port: number
  /** The lowest is preferred. */
  readonly priority: number
  readonly weight: number
}

/** Options of {@link dnsEndpoints}. */
export interface DnsEndpointsOptions {
  /** How long after an answer it is looked up again, in milliseconds. @default 30000 */
  readonly refreshMs?: number | undefined
  /** Looks up the IP addresses of a name. @default the system's lookup, as in node:dns, which gives IPv4 and IPv6 */
  readonly resolve?: ((host: string) => Promise<readonly string[]>) | undefined
}

/** Options of {@link srvEndpoints}. */
export interface SrvEndpointsOptions {
  /** How long after an answer it is looked up again, in milliseconds. @default 30000 */
  readonly refreshMs?: number | undefined
  /** Looks up the SRV records of a name. @default `resolveSrv` of node:dns */
  readonly resolve?: ((name: string) => Promise<readonly SrvRecord[]>) | undefined
}

/**
 * Each address of a host is an endpoint of its own: for a service behind one name, and for a host with several networks.
 * An answer without any address leaves the list before as it is.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`
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
 * The targets of a service's SRV records (RFC 2782), such as `_store._tcp.example.org`, with their ports and weights. Of
 * several priorities, the lowest number counts alone. An answer without any target leaves the list before as it is.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT`
 */
export function srvEndpoints(
  name: string,
  options: SrvEndpointsOptions = {},
): AsyncIterable<readonly Endpoint<never>[]> {
  checkOptionNames('options', options, ['refreshMs', 'resolve'])
  checkName('name', name)
  const { resolve = resolveSrv } = options
  return new PolledLists(async () => {
    // A lone "." says that the service is not offered here; node:dns gives it as an empty name.
    const records = (await resolve(name)).filter((record) => record.name !== '' && record.name !== '.')
    if (records.length === 0) throw nothingFound(name, 'SRV records')
    const priority = Math.min(...records.map((record) => record.priority))
    const byAddress = new Map<string, Endpoint<never>>()
    for (const record of records) {
      if (record.priority !== priority) continue
      const { name: host, port } = record
      // Weight 0 means a very small chance beside others, as the RFC says.
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
  if (typeof name !== 'string' || name === '') throw invalidArgument(`${what} must be a name`)
}

function nothingFound(name: string, what: string): NettsError {
  return new NettsError('ERR_NETTS_CONNECT_FAILED', `${name} has no ${what}`, { operation: 'lookup' })
}
