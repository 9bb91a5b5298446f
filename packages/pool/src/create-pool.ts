/** The factory of pools. */
import type { Transport } from '@netts/core'
import { ConnectionPool } from './connection-pool.js'
import { checkPoolOptions, type PoolOptions } from './options.js'
import type { Pool } from './pool.js'
import { machineTime } from './time.js'

/**
 * Makes a pool of connections. It returns at once and begins to open `min` connections to each endpoint; every other
 * connection is opened when a caller needs it. Await {@link Pool.ready} for the first ones, and {@link Pool.close} the
 * pool when it is no longer needed.
 *
 * @typeParam T the transport of the connections
 * @typeParam S what `prepare` resolves to; `undefined` without `prepare`
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown, out of range or of the wrong type, for an
 *   empty list of endpoints, and for an endpoint without a builder
 */
export function createPool<T extends Transport = Transport, S = undefined>(
  options: PoolOptions<T, S>,
): Pool<T, S> {
  return new ConnectionPool(checkPoolOptions(options), machineTime)
}
