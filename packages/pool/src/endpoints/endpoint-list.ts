/** The endpoints of a pool as they are given: a list, or lists that replace one another. */
import { type Address, formatAddress, type Transport, type TransportBuilder } from '@netts/core'
import { checkAddress, checkOptionNames, invalidArgument } from '@netts/core/driver'
import { checkBuilders } from './builders.js'

/** One endpoint, with more than its address. Several addresses of one host are several endpoints. */
export interface Endpoint<T extends Transport = Transport> {
  readonly address: Address
  /** Its share of the traffic, beside those of others; more than 0. @default 1 */
  readonly weight?: number | undefined
  /** The drivers for this endpoint, in order of preference. @default the pool's */
  readonly builder?: TransportBuilder<T> | readonly TransportBuilder<T>[] | undefined
}

/** A list of endpoints, or lists that come one after the other, each of which replaces the one before. */
export type Endpoints<T extends Transport = Transport> =
  | readonly (Address | Endpoint<T>)[]
  | AsyncIterable<readonly (Address | Endpoint<T>)[]>

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for no endpoints, or a list that is none */
export function checkEndpoints<T extends Transport>(given: Endpoints<T>, hasBuilder: boolean) {
  if (Array.isArray(given)) {
    const list = checkList<T>(given, hasBuilder)
    if (list.length === 0) throw invalidArgument('endpoints must have at least one endpoint')
    return list
  }
  if (typeof (given as Partial<AsyncIterable<unknown>> | undefined)?.[Symbol.asyncIterator] !== 'function') {
    throw invalidArgument(
      'endpoints must be a list of addresses or endpoints, or an AsyncIterable of such lists',
    )
  }
  return given as AsyncIterable<readonly (Address | Endpoint<T>)[]>
}

/** @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an endpoint that is none, or stands there twice */
export function checkList<T extends Transport>(
  given: readonly (Address | Endpoint<T>)[],
  hasBuilder: boolean,
): readonly Endpoint<T>[] {
  if (!Array.isArray(given)) throw invalidArgument('endpoints must be a list of addresses or endpoints')
  const seen = new Set<string>()
  return given.map((entry: Address | Endpoint<T>) => {
    const endpoint = checkEndpoint(entry, hasBuilder)
    const key = formatAddress(endpoint.address)
    if (seen.has(key)) throw invalidArgument(`endpoints has ${key} twice`)
    seen.add(key)
    return endpoint
  })
}

function checkEndpoint<T extends Transport>(entry: Address | Endpoint<T>, hasBuilder: boolean): Endpoint<T> {
  if (typeof entry !== 'object' || entry === null || !('address' in entry)) {
    if (!hasBuilder) throw invalidArgument('the pool has no builder, so each endpoint needs one of its own')
    return { address: checkAddress(entry, 'connect') }
  }
  const {
    address,
    weight = 1,
    builder,
  } = checkOptionNames('endpoint', entry, ['address', 'weight', 'builder'])
  if (!(typeof weight === 'number' && weight > 0 && weight < Infinity)) {
    throw invalidArgument(`endpoint.weight must be a number above 0, not ${String(weight)}`)
  }
  if (builder === undefined && !hasBuilder) {
    throw invalidArgument('the pool has no builder, so each endpoint needs one of its own')
  }
  const checked = { address: checkAddress(address, 'connect'), weight }
  return builder === undefined ? checked : { ...checked, builder: checkBuilders('endpoint.builder', builder) }
}
