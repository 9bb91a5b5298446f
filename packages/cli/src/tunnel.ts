/** A tunnel: it forwards each connection from one address to another, over any two transports. */
import { once } from 'node:events'
import type { Address, NettsError, TransportBuilder } from '@netts/core'
import { connectStream, createStreamServer, type StreamServer, type TransportStream } from '@netts/stream'

/** One side of a tunnel: a driver, and an address to listen on or to connect to. */
export interface TunnelSide {
  /** A driver with its configuration, such as `tcp()` or `tls(tcp(), …)`. */
  readonly builder: TransportBuilder
  /** The address to listen on, or to connect to. */
  readonly address: Address
}

/** Options of {@link openTunnel}. */
export interface TunnelOptions {
  /** How long connecting to the other side may take, in milliseconds; 0 disables the deadline. @default 10000 */
  readonly connectTimeoutMs?: number | undefined
  /**
   * Called with each error. `listen`: an accepted connection failed. `to`: a connection to the other side could not be made,
   * or failed. In both cases the tunnel continues. `listener`: the listener failed, so that no further connection is
   * accepted; {@link Tunnel.closed} resolves when the open connections have ended. @default errors are ignored
   */
  readonly onError?: ((error: NettsError, at: 'listen' | 'to' | 'listener') => void) | undefined
}

/** An open tunnel. It keeps the process alive. `await using` closes it. */
export interface Tunnel extends AsyncDisposable {
  /** The address on which it listens. If port 0 was asked for, this has the port that was chosen. */
  readonly address: Address
  /** How many accepted connections are open. */
  readonly connections: number
  /**
   * Resolves when it no longer listens and the last connection has ended: to the error of the listener if that failed, else
   * to `undefined`. Never rejects.
   */
  readonly closed: Promise<NettsError | undefined>
  /** Stops listening. Resolves when the last connection has ended. Idempotent. */
  drain(): Promise<void>
  /** Stops listening, and resets every connection. Resolves when they are closed. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens a tunnel: it accepts connections on one side, and for each connects to the other side. Bytes, half-closes, resets and
 * backpressure pass through in both directions. If the other side cannot be connected to, the accepted connection is reset.
 *
 * Rejects as `TransportBuilder.listen` does, for example with `ERR_NETTS_LISTEN_FAILED`.
 *
 * @param listen the side that accepts connections
 * @param to the side that is connected to
 */
export async function openTunnel(
  listen: TunnelSide,
  to: TunnelSide,
  options: TunnelOptions = {},
): Promise<Tunnel> {
  const server = createStreamServer(listen.builder, { allowHalfOpen: true }, (inbound) => {
    const outbound = connectStream(to.builder, to.address, {
      allowHalfOpen: true,
      timeoutMs: options.connectTimeoutMs,
    })
    inbound.on('error', (error: NettsError) => options.onError?.(error, 'listen'))
    outbound.on('error', (error: NettsError) => options.onError?.(error, 'to'))
    join(inbound, outbound)
    join(outbound, inbound)
  })
  server.listen(listen.address)
  await once(server, 'listening')
  return new OpenTunnel(server, (error) => options.onError?.(error, 'listener'))
}

/** Forwards the bytes, the end and the failure of one stream to the other. */
function join(from: TransportStream, to: TransportStream): void {
  from.pipe(to)
  from.on('close', (hadError: boolean) => {
    if (hadError || !from.readableEnded || !from.writableFinished) to.resetAndDestroy()
  })
}

class OpenTunnel implements Tunnel {
  readonly address: Address
  readonly closed: Promise<NettsError | undefined>
  readonly #server: StreamServer

  constructor(server: StreamServer, onBroken: (error: NettsError) => void) {
    this.#server = server
    this.address = server.listeningAddress!
    let failure: NettsError | undefined
    // The server closes itself after this.
    server.on('error', (error) => {
      failure = error as NettsError
      onBroken(failure)
    })
    this.closed = new Promise((resolve) => server.once('close', () => resolve(failure)))
  }

  get connections(): number {
    return this.#server.connections.size
  }

  async drain(): Promise<void> {
    this.#server.close()
    await this.closed
  }

  close(): Promise<void> {
    const drained = this.drain()
    for (const stream of this.#server.connections) stream.resetAndDestroy()
    return drained
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
