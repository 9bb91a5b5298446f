/** `@netts/core`'s Connection over any driver: messages, in the three ways an application can send and receive. */
import {
  type Connection,
  connect,
  isNettsError,
  listen,
  type MessageLease,
  type PooledBuffer,
  type TransportBuilder,
} from '@netts/core'
import { type Channel, ChannelEvents, type Endpoint, type Wire } from './contender.js'

/**
 * How the connection is used:
 *
 * - `await`: `await send(message)`, `for await (const message of connection)`: the simplest code, and memory of
 *   one's own for each message;
 * - `lease`: `trySend(message)`, or `send` for one beyond a chunk, of which `trySend` would copy the rest; and leases
 *   instead of copies;
 * - `callback`: `trySend` as well, and leases that `onMessage` brings;
 * - `zero-copy`: sends buffers of the pool that the application fills in place, and leases.
 */
export type ConnectionStyle = 'await' | 'lease' | 'callback' | 'zero-copy'

class ConnectionChannel extends ChannelEvents implements Channel {
  readonly #connection: Connection
  readonly #pooled: boolean
  readonly #drained = () => this.onDrain()
  readonly #failed = (error: Error) => this.#closing || this.onFailure(error)
  #closing = false

  constructor(connection: Connection, style: ConnectionStyle) {
    super()
    this.#connection = connection
    this.#pooled = style === 'zero-copy'
    if (style === 'callback') this.#receiveByCallback()
    else {
      const receiving = style === 'await' ? this.#receiveOwned() : this.#receiveLeases()
      receiving.then(() => connection.finish(), this.#failed)
    }
    if (style === 'await') this.send = this.#sendAwaited
  }

  async #receiveOwned(): Promise<void> {
    for await (const message of this.#connection) this.onReceive(message, 0, message.length)
  }

  #receiveByCallback(): void {
    const connection = this.#connection
    connection.onMessage((lease) => {
      this.onReceive(lease.chunk, lease.byteOffset, lease.byteLength)
      lease.release()
    })
    void connection.closed.then((error) => error && this.#failed(error))
  }

  async #receiveLeases(): Promise<void> {
    const connection = this.#connection
    for (;;) {
      const lease: MessageLease | undefined = connection.tryRecvLease() ?? (await connection.recvLease())
      if (!lease) return
      this.onReceive(lease.chunk, lease.byteOffset, lease.byteLength)
      lease.release()
    }
  }

  send(payload: Uint8Array): boolean {
    const message = this.#pooled ? this.#fill(payload) : payload
    const large = payload.byteLength > this.#connection.transport.maxSendSize
    if (!large && this.#connection.trySend(message)) return true
    this.#connection.send(message).then(this.#drained, this.#failed)
    return false
  }

  #sendAwaited(payload: Uint8Array): boolean {
    this.#connection.send(payload).then(this.#drained, this.#failed)
    return false
  }

  /**
   * The application's own work: writing its message where it will be sent from. While every buffer is on its way,
   * the message is sent as it is, which copies and waits.
   */
  #fill(payload: Uint8Array): PooledBuffer | Uint8Array {
    let buffer: PooledBuffer
    try {
      buffer = this.#connection.alloc(payload.byteLength)
    } catch (error) {
      if (isNettsError(error) && error.code === 'ERR_NETTS_POOL_EXHAUSTED') return payload
      throw error
    }
    buffer.bytes.set(payload)
    return buffer
  }

  echo(chunk: Uint8Array, byteOffset: number, byteLength: number): void {
    const message = chunk.subarray(byteOffset, byteOffset + byteLength)
    const reply = this.#pooled ? this.#fill(message) : message
    if (this.#connection.trySend(reply)) return
    // The lease ends with this call, the send does not.
    this.#connection.send(reply === message ? Buffer.from(message) : reply).catch(this.#failed)
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.#connection.close()
  }
}

export function nettsConnection(builder: TransportBuilder, style: ConnectionStyle): Wire {
  return {
    async listen({ host, connections }, accept) {
      const listener = await listen(builder, { host, port: 0 }, { backlog: Math.max(511, connections) })
      const accepting = (async () => {
        for await (const connection of listener) accept(new ConnectionChannel(connection, style))
      })()
      return {
        endpoints: [listener.address as Endpoint],
        close: async () => {
          await listener.close()
          await accepting
        },
      }
    },
    connect: async (endpoint) => new ConnectionChannel(await connect(builder, hostAddress(endpoint)), style),
  }
}

/** @throws Error for an endpoint that is no host and port */
export function hostAddress(endpoint: Endpoint): { host: string; port: number } {
  if (!('port' in endpoint)) throw new Error('not a host and port')
  return endpoint
}
