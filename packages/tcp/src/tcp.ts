/** The builder: configuration in, connections and listeners out. */
import type {
  Address,
  ConnectOptions,
  ListenOptions,
  Transport,
  TransportBuilder,
  TransportListener,
} from '@netts/core'
import { checkInteger, checkObject, checkSignal, withDeadline } from '@netts/core/driver'
import { checkTcpAddress } from './addresses.js'
import { dial } from './dial.js'
import { openListener } from './listener.js'
import { checkOptions, type TcpOptions } from './options.js'

/**
 * Transports over TCP (IPv4, IPv6, host names) and Unix domain sockets.
 *
 * @throws NettsError `ERR_NETTS_INVALID_ARGUMENT` for an option of the wrong type or out of range
 */
export function tcp(options?: TcpOptions): TransportBuilder<Transport> {
  const config = checkOptions(options)
  return {
    name: 'tcp',
    async connect(address: Address, options: ConnectOptions = {}): Promise<Transport> {
      const { signal, timeoutMs = 10_000 } = checkObject('options', options)
      const checked = checkTcpAddress(address, 'connect')
      return withDeadline({
        operation: 'connect',
        address: checked,
        signal: checkSignal(signal),
        timeoutMs,
        start: (ended) => dial(checked, config, ended),
        dispose: (transport) => transport.destroy(),
      })
    },
    async listen(address: Address, options: ListenOptions = {}): Promise<TransportListener> {
      const { backlog = 511 } = checkObject('options', options)
      const checked = checkTcpAddress(address, 'listen')
      return openListener(checked, checkInteger('backlog', backlog, 1, 65_535), config)
    },
  }
}
