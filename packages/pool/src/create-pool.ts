/** Making a pool. */
import type { Transport } from '@netts/core'
import { ConnectionPool } from './connection-pool.js'
import { checkPoolOptions, type PoolOptions } from './options.js'
import type { Pool } from './pool.js'
import { machineTime } from './time.js'

/**
 * Makes a pool of connections. It opens what `min` asks for, and everything else when it is asked for.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, or one out of range
 */
export function createPool<T extends Transport = Transport, S = undefined>(
  options: PoolOptions<T, S>,
): Pool<T, S> {
  return new ConnectionPool(checkPoolOptions(options), machineTime)
}
