/**
 * gRPC over any transport: the server of `@grpc/grpc-js`. The clean client is connect-node, whose
 * `nodeOptions.createConnection` takes a connector of `@netts/stream`.
 *
 * @packageDocumentation
 */
import type { Duplex } from 'node:stream'
import type { Address, Transport, TransportBuilder } from '@netts/core'
import { listening } from './serve.js'
import { createStreamServer, type StreamServer, type StreamServerOptions } from './stream-server.js'

/** As much of the `Server` of `@grpc/grpc-js` as is used; since its version 1.12. */
export interface InjectableServer<Credentials> {
  createConnectionInjector(credentials: Credentials): { injectConnection(connection: Duplex): void }
}

/**
 * Serves a server of `@grpc/grpc-js` over a transport, by its connection injector.
 *
 * @param server whether it is bound to ports as well or not
 * @param credentials of `@grpc/grpc-js`, such as `ServerCredentials.createInsecure()`
 * @param builder a driver with its configuration, such as `tcp()`
 * @returns what listens, once it does; closing it leaves the server and its connections alone
 *
 * Rejects with a NettsError: `ERR_NETTS_INVALID_ARGUMENT` or `ERR_NETTS_LISTEN_FAILED`.
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
