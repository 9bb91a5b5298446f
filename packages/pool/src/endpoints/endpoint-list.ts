/** The endpoints of a pool as the program gives them: a list, or lists that replace one another. */
import { type Address, formatAddress, type Transport, type TransportBuilder } from '@netts/core'
import { checkAddress, checkOptionNames, invalidArgument } from '@netts/core/driver'
import { checkBuilders } from './builders.js'

/** An endpoint with a weight or a builder of its own. Several addresses of one host are several endpoints. */
export interface Endpoint<T extends Transport = Transport> {
  /** The address to connect to. It identifies the endpoint: a list may have it only once. */
  readonly address: Address
  /** Its share of the traffic, relative to the other endpoints; more than 0. @default 1 */
  readonly weight?: number | undefined
  /** The driver for this endpoint, or several in order of preference. @default the pool's `builder` */
  readonly builder?: TransportBuilder<T> | readonly TransportBuilder<T>[] | undefined
}

/**
 * The endpoints of a pool. A list must not be empty. Of an AsyncIterable, each list replaces the one before: endpoints that
 * stay keep their connections and counters, connections to endpoints that left are closed when they come back. If it ends,
 * the last list stays; if it throws, or yields a list that is not valid, the pool keeps the list, reports an
 * `endpoints-failed` event, and iterates anew after a delay of up to 30 s. `pool.close()` calls the iterator's `return`.
 */
export type Endpoints<T extends Transport = Transport> =
  | readonly (Address | Endpoint<T>)[]
  | AsyncIterable<readonly (Address | Endpoint<T>)[]>

/**
 * Checks what a program gave as `endpoints`; the lists of an AsyncIterable are checked as they come.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an empty list, an endpoint that is not valid, or neither shape
 */
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

/**
 * Checks a list of endpoints.
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an endpoint that is not valid, or is in the list twice
 */
export function checkList<T extends Transport>(
  given: readonly (Address | Endpoint<T>)[],
  hasBuilder: boolean,
): readonly Endpoint<T>[] {
  if (!Array.isArray(given)) throw invalidArgument('endpoints must be a list of addresses or endpoints')
  const seen = new Set<string>()
  return given.map((entry: Address | Endpoint<T>) => {
    const endpoint = checkEndpoint(entry, hasBuilder)
    const key = formatAddress(endpoint.address)
    if (seen.has(key)) throw invalidArgument(`endpoints has the address ${key} twice`)
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
