/** Runs servers of Node.js and of libraries over any transport. */
import type { EventEmitter } from 'node:events'
import type { Address, Transport, TransportBuilder } from '@netts/core'
import { createStreamServer, type StreamServer, type StreamServerOptions } from './stream-server.js'

/**
 * Listens with a driver, and hands every stream to a server as its event `connection`. It works with any `http.Server`
 * (that of express, fastify or Socket.IO, for example), `http2.Server` and `tls.Server`, whether it listens on sockets too
 * or not.
 *
 * @param server it gets the event `connection`; an `http.Server` also gets `listening`, with which its timeouts begin
 * @param builder a driver with its configuration, such as `tcp()`
 * @param address the address to listen on; each driver documents which forms it supports
 * @param options `allowHalfOpen` is `true` by default here, because HTTP needs it
 * @returns the server of streams, which listens. Closing it ends neither `server` nor its connections.
 *
 * Rejects with `ERR_NETTS_INVALID_ARGUMENT` or `ERR_NETTS_LISTEN_FAILED`.
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

/** Starts to listen. Rejects with the error of the attempt. */
export function listening<T extends Transport>(server: StreamServer<T>, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
