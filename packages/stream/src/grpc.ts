/**
 * gRPC over any transport: the server of `@grpc/grpc-js`. The recommended client is connect-node, whose
 * `nodeOptions.createConnection` takes a connector of `@netts/stream`.
 *
 * @packageDocumentation
 */
import type { Duplex } from 'node:stream'
import type { Address, Transport, TransportBuilder } from '@netts/core'
import { listening } from './serve.js'
import { createStreamServer, type StreamServer, type StreamServerOptions } from './stream-server.js'

/** The part of the `Server` of `@grpc/grpc-js` that {@link serveGrpc} uses; available since version 1.12. */
export interface InjectableServer<Credentials> {
  /** Makes an object that hands connections to the server. */
  createConnectionInjector(credentials: Credentials): {
    /** Hands a connection over. The server then serves it, and closes it. */
    injectConnection(connection: Duplex): void
  }
}

/**
 * Listens with a driver, and hands every stream to a server of `@grpc/grpc-js` by its connection injector.
 *
 * @param server a `Server` of `@grpc/grpc-js`; it may be bound to ports too
 * @param credentials `ServerCredentials` of `@grpc/grpc-js`, such as `ServerCredentials.createInsecure()`
 * @param builder a driver with its configuration, such as `tcp()`
 * @param options `allowHalfOpen` is `true` by default here
 * @returns the server of streams, which listens. Closing it ends neither the gRPC server nor its connections.
 *
 * Rejects with `ERR_NETTS_INVALID_ARGUMENT` or `ERR_NETTS_LISTEN_FAILED`.
 */
export async function serveGrpc<Credentials, T extends Transport>(
  server: InjectableServer<Credentials>,
  credentials: Credentials,
  builder: TransportBuilder<T>,
  address: Address,
  options: StreamServerOptions = {},
): Promise<StreamServer<T>> {
  const injector = server.createConnectionInjector(credentials)
  const listener = createStreamServer(builder, { allowHalfOpen: true, ...options }, (stream) =>
    injector.injectConnection(stream),
  )
  await listening(listener, address)
  return listener
}
