/** A tunnel: what connects to one address is connected to another one, over any two transports. */
import { once } from 'node:events'
import type { Address, NettsError, TransportBuilder } from '@netts/core'
import { connectStream, createStreamServer, type StreamServer, type TransportStream } from '@netts/stream'

/** One side of a tunnel. */
export interface TunnelSide {
  /** A driver with its configuration, such as `tcp()`. */
  readonly builder: TransportBuilder
  readonly address: Address
}

/** Options of {@link openTunnel}. */
export interface TunnelOptions {
  /** How long connecting on may take, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number | undefined
  /**
   * Told of every connection that could not be made, or failed: the tunnel goes on. At `listener`, listening broke: no
   * further connection comes, and {@link Tunnel.closed} follows when those that are there have ended.
   */
  readonly onError?: ((error: NettsError, at: 'listen' | 'to' | 'listener') => void) | undefined
}

/** A tunnel that is open. */
export interface Tunnel extends AsyncDisposable {
  /** Where it listens: the port is the one chosen when 0 was asked for. */
  readonly address: Address
  /** How many connections go through it now. */
  readonly connections: number
  /** Resolves when it listens no more and the last connection has ended: to the error that broke listening, if one did. */
  readonly closed: Promise<NettsError | undefined>
  /** Listens no more; resolves when the last connection has ended. Idempotent. */
  drain(): Promise<void>
  /** Listens no more, and resets every connection. Resolves when they are closed. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens a tunnel. Bytes, half-closes, resets and backpressure pass through in both directions.
 *
 * Rejects with what listening failed with: see `TransportBuilder.listen`.
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

/** What comes from one stream goes to the other one; so does its end, and its failure. */
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
    // The server closes itself then.
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
