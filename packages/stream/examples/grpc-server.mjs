// An unmodified server of @grpc/grpc-js over any transport, here TCP. Its client is connect-node:
//   createGrpcTransport({ baseUrl: 'http://service', nodeOptions: { createConnection: createConnector(tcp(), { address }) } })

import grpc from '@grpc/grpc-js'
import { serveGrpc } from '@netts/stream/grpc'
import { tcp } from '@netts/tcp'

const server = new grpc.Server()
// server.addService(…), as ever
const listener = await serveGrpc(server, grpc.ServerCredentials.createInsecure(), tcp(), {
  host: '127.0.0.1',
  port: 0,
})
console.log('listening', listener.listeningAddress !== undefined)

listener.close()
server.forceShutdown()
