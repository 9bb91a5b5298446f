/** The check of an address that a program gave. */
import type { Address, HostAddress, PathAddress } from '../address.js'
import { invalidArgument } from '../errors.js'
import { show } from './options.js'

/**
 * Checks the shape of an address that a program gave.
 *
 * @param operation what the address is for; port 0 is accepted for `listen` only
 * @returns a frozen copy
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for neither `{ host, port }` nor `{ path }`, or a port out of range
 */
export function checkAddress(address: Address, operation: 'connect' | 'listen'): Address {
  const given: unknown = address
  if (typeof given !== 'object' || given === null) {
    throw invalidArgument(`address must be { host, port } or { path }, not ${show(given)}`, operation)
  }
  const { host, port, path } = given as Partial<HostAddress & PathAddress>
  if (path !== undefined) {
    if (host !== undefined || port !== undefined) {
      throw invalidArgument(
        'address has both a path and a host or port; it must be one or the other',
        operation,
      )
    }
    if (typeof path !== 'string' || path === '' || path.includes('\0')) {
      throw invalidArgument('address.path must be a non-empty string without NUL', operation)
    }
    return Object.freeze({ path })
  }
  if (typeof host !== 'string' || host === '' || host.includes('\0')) {
    throw invalidArgument('address.host must be a non-empty string', operation)
  }
  const least = operation === 'connect' ? 1 : 0
  if (!Number.isInteger(port) || (port as number) < least || (port as number) > 65535) {
    throw invalidArgument(
      `address.port must be an integer from ${least} to 65535, not ${show(port)}`,
      operation,
    )
  }
  return Object.freeze({ host, port: port as number })
}
