/** Connects and listens with any driver, for messages. */
import type { Address } from '../address.js'
import { connectChannel, connectTracing } from '../diagnostics.js'
import { rememberWire } from '../preferring/wire-of.js'
import type { ConnectOptions, Transport, TransportBuilder } from '../transport.js'
import { checkBuilder } from './check-builder.js'
import type {
  Connection,
  ConnectionListener,
  ConnectionListenOptions,
  ConnectionOptions,
} from './connection.js'
import { checkConnectionOptions } from './connection-options.js'
import { createConnection } from './create-connection.js'
import { MessageListener } from './message-listener.js'

/**
 * Connects, and resolves to a {@link Connection}, which the caller closes.
 *
 * Rejects as {@link TransportBuilder.connect} does: `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_ABORTED`, `ERR_NETTS_TIMEOUT`
 * (after `timeoutMs`, 10000 by default), `ERR_NETTS_CONNECT_FAILED`, `ERR_NETTS_REJECTED`, or a code of the driver. A rejected
 * attempt leaves nothing behind.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param address the address of the listener; each driver documents which forms it supports
 * @param options the deadline and the signal of the attempt, and the limits of the connection
 */
export async function connect<T extends Transport>(
  builder: TransportBuilder<T>,
  address: Address,
  options: ConnectOptions & ConnectionOptions = {},
): Promise<Connection<T>> {
  checkBuilder(builder)
  checkConnectionOptions(options, ['signal', 'timeoutMs'])
  const { signal, timeoutMs, ...limits } = options
  const open = async () => {
    const transport = await builder.connect(address, { signal, timeoutMs })
    rememberWire(transport, builder.name)
    const connection = createConnection(transport, limits)
    if (connectChannel.hasSubscribers) connectChannel.publish({ connection })
    return connection
  }
  if (!connectTracing.start.hasSubscribers) return open()
  return connectTracing.tracePromise(open, { address, wire: builder.name })
}

/**
 * Listens, and resolves to a listener that accepts {@link Connection}s.
 *
 * Rejects as {@link TransportBuilder.listen} does: `ERR_NETTS_INVALID_ARGUMENT`, `ERR_NETTS_LISTEN_FAILED`, or a code of the
 * driver.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param address the address to listen on; port 0 chooses a free port. Each driver documents which forms it supports
 * @param options the backlog, and the limits of each accepted connection
 */
export async function listen<T extends Transport>(
  builder: TransportBuilder<T>,
  address: Address,
  options: ConnectionListenOptions = {},
): Promise<ConnectionListener<T>> {
  checkBuilder(builder)
  checkConnectionOptions(options, ['backlog'])
  const { backlog, ...limits } = options
  return new MessageListener(builder.name, await builder.listen(address, { backlog }), limits)
}
