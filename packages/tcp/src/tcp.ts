/** The builder: configuration in, connections and listeners out. */
import type { Transport, TransportBuilder } from '@netts/core'
import { createBuilder } from '@netts/core/driver'
import { checkPathLength } from './addresses.js'
import { dial } from './dial.js'
import { openListener } from './listener.js'
import { checkOptions, type TcpOptions } from './options.js'

/**
 * Transports over TCP (IPv4, IPv6, host names) and Unix domain sockets.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an unknown option, or one of the wrong type or out of range
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
