/** The builder of transports over TCP. */
import type { Transport, TransportBuilder } from '@netts/core'
import { createBuilder } from '@netts/core/driver'
import { checkPathLength } from './addresses.js'
import { dial } from './dial.js'
import { openListener } from './listener.js'
import { checkOptions, type TcpOptions } from './options.js'

/**
 * Makes a builder of transports over TCP (IPv4, IPv6 and host names) and Unix domain sockets, for `connect` and `listen` of
 * `@netts/core`. It opens no socket by itself.
 *
 * Addresses are `{ host, port }`, or `{ path }` of at most 107 bytes (103 on macOS). Nagle's algorithm is off. A peer whose
 * process is killed looks like one that finished, because its kernel closes the connection: `capabilities.detectsPeerCrash`
 * is `false`. `capabilities.reset` is `true` except over Unix domain sockets.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option that is unknown, of the wrong type or out of range
 */
export function tcp(options?: TcpOptions): TransportBuilder<Transport> {
  const config = checkOptions(options)
  return createBuilder<Transport>({
    name: 'tcp',
    checkAddress: checkPathLength,
    connect: (address, ended) => dial(address, config, ended),
    listen: (address, backlog) => openListener(address, backlog, config),
  })
}
