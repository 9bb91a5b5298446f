/** Servers of Node.js and of libraries over any transport. */
import type { EventEmitter } from 'node:events'
import type { Address, Transport, TransportBuilder } from '@netts/core'
import { createStreamServer, type StreamServer, type StreamServerOptions } from './stream-server.js'

/**
 * Serves over a transport what a server would serve over sockets: listens, and hands the server every stream as its
 * `connection`. For any `http.Server` (so express, fastify, Socket.IO, …), `http2.Server` and `tls.Server`, whether it
 * listens itself or not.
 *
 * @param server gets the event `connection`; an `http.Server` also `listening`, on which its timeouts begin to count
 * @param builder a driver with its configuration, such as `tcp()`
 * @param options `allowHalfOpen` is true unless it says otherwise, as HTTP needs it
 * @returns what listens, once it does; closing it leaves the server and its connections alone
 *
 * Rejects with a NettsError: `ERR_NETTS_INVALID_ARGUMENT` or `ERR_NETTS_LISTEN_FAILED`.
 */
export async function serve<T extends Transport>(
  server: EventEmitter,
  builder: TransportBuilder<T>,
  address: Address,
  options: StreamServerOptions = {},
): Promise<StreamServer<T>> {
  const listener = createStreamServer(builder, { allowHalfOpen: true, ...options }, (stream) =>
    server.emit('connection', stream),
  )
  await listening(listener, address)
  // Without it, headersTimeout and requestTimeout of an http.Server never end a connection.
  if ('headersTimeout' in server) server.emit('listening')
  return listener
}

/** Listens. Rejects with what that failed with. */
export function listening<T extends Transport>(server: StreamServer<T>, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
