/** Connecting and listening with any driver, for messages. */
import type { Address } from '../address.js'
import { connectChannel } from '../diagnostics.js'
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
 * Connects, and resolves to a {@link Connection}.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param address the address of the listener; each driver documents which forms it supports
 *
 * Rejects as {@link TransportBuilder.connect}. A rejected attempt leaves nothing behind.
 */
export async function connect<T extends Transport>(
  builder: TransportBuilder<T>,
  address: Address,
  options: ConnectOptions & ConnectionOptions = {},
): Promise<Connection<T>> {
  checkBuilder(builder)
  checkConnectionOptions(options, ['signal', 'timeoutMs'])
  const { signal, timeoutMs, ...limits } = options
  const transport = await builder.connect(address, { signal, timeoutMs })
  const connection = createConnection(transport, limits)
  if (connectChannel.hasSubscribers) connectChannel.publish({ connection })
  return connection
}

/**
 * Listens, and resolves to a listener that accepts {@link Connection}s.
 *
 * Rejects as {@link TransportBuilder.listen}.
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
