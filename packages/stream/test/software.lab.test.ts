/** Unmodified fastify and gRPC over each RDMA driver on the kernel's devices: a small share of what runs without them. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { json } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import grpc from '@grpc/grpc-js'
import fastify from 'fastify'
import { serveGrpc } from '../src/grpc.js'
import { createHttpAgent } from '../src/http.js'
import { createConnector, serve } from '../src/index.js'
import { pattern } from './contract/pair.js'
import { type Bytes, bytes, echoServer, echoService } from './echo-service.js'
import { labWires } from './lab-wires.js'

const TIMEOUT_MS = 60_000

for (const wire of labWires) {
  describe(wire.name, () => {
    it('a fastify application answers', { timeout: TIMEOUT_MS }, async () => {
      const app = fastify()
      app.post('/sum', async (request) => ({
        sum: (request.body as number[]).reduce((sum, value) => sum + value, 0),
      }))
      await app.ready()
      const { client, server, address } = wire.open()
      const listener = await serve(app.server, server, address)
      const agent = createHttpAgent(client, { connection: { address: listener.listeningAddress! } })
      const answer = await new Promise((resolve, reject) => {
        const headers = { 'content-type': 'application/json' }
        const request = http.request({ agent, method: 'POST', path: '/sum', headers }, (response) => {
          json(response).then(resolve, reject)
        })
        request.on('error', reject)
        request.end('[1, 2, 3]')
      })
      assert.deepEqual(answer, { sum: 6 })
      agent.destroy()
      app.server.closeAllConnections()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
      await app.close()
    })

    it('a unary call of gRPC is answered', { timeout: TIMEOUT_MS }, async () => {
      const service = echoServer(() => {})
      const { client, server, address } = wire.open()
      const listener = await serveGrpc(service, grpc.ServerCredentials.createInsecure(), server, address)
      const createConnection = createConnector(client, { address: listener.listeningAddress! })
      const baseUrl = 'http://service'
      const sessionManager = new Http2SessionManager(baseUrl, {}, { createConnection })
      const transport = createGrpcTransport({ baseUrl, sessionManager })
      const echo = createClient(echoService, transport) as unknown as {
        unary(request: Bytes): Promise<Bytes>
      }
      const data = pattern(100_000)
      assert.ok(data.equals((await echo.unary(bytes(data))).data))
      sessionManager.abort()
      service.forceShutdown()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    })
  })
}
