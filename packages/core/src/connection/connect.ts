/** Connecting and listening with any driver, for messages. */
import type { Address } from '../address.js'
import { acceptChannel, connectChannel } from '../diagnostics.js'
import { invalidArgument } from '../errors.js'
import type { AcceptOptions, ConnectOptions, TransportBuilder, TransportListener } from '../transport.js'
import type {
  Connection,
  ConnectionListener,
  ConnectionListenOptions,
  ConnectionOptions,
} from './connection.js'
import { checkConnectionOptions } from './connection-options.js'
import { createConnection } from './create-connection.js'

/**
 * Connects with a driver, and makes a {@link Connection} of it.
 *
 * @param builder a driver with its configuration, such as `tcp()`
 * @param address where to connect to; which forms work is the driver's choice
 *
 * Rejects as {@link TransportBuilder.connect}; nothing is left behind then.
 */
export async function connect(
  builder: TransportBuilder,
  address: Address,
  options: ConnectOptions & ConnectionOptions = {},
): Promise<Connection> {
  checkBuilder(builder)
  checkConnectionOptions(options)
  const connection = createConnection(await builder.connect(address, options), options)
  if (connectChannel.hasSubscribers) connectChannel.publish({ connection })
  return connection
}

/**
 * Listens with a driver, and makes a {@link Connection} of everything that is accepted.
 *
 * Rejects as {@link TransportBuilder.listen}.
 */
export async function listen(
  builder: TransportBuilder,
  address: Address,
  options: ConnectionListenOptions = {},
): Promise<ConnectionListener> {
  checkBuilder(builder)
  checkConnectionOptions(options)
  return new MessageListener(await builder.listen(address, options), options)
}

/** The likeliest mistake is `tcp` for `tcp()`. */
function checkBuilder(builder: TransportBuilder): void {
  if (typeof builder?.connect !== 'function' || typeof builder.listen !== 'function') {
    throw invalidArgument('builder must be a TransportBuilder, such as tcp()')
  }
}

class MessageListener implements ConnectionListener {
  readonly #listener: TransportListener
  readonly #options: ConnectionOptions

  constructor(listener: TransportListener, options: ConnectionOptions) {
    this.#listener = listener
    this.#options = options
  }

  get address(): Address {
    return this.#listener.address
  }

  async accept(options?: AcceptOptions): Promise<Connection | undefined> {
    const transport = await this.#listener.accept(options)
    if (transport === undefined) return undefined
    const connection = createConnection(transport, this.#options)
    if (acceptChannel.hasSubscribers) acceptChannel.publish({ connection })
    return connection
  }

  close(): Promise<void> {
    return this.#listener.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Connection, void, undefined> {
    for (let next = await this.accept(); next; next = await this.accept()) yield next
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
