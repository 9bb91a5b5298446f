/** Unmodified software over a stand: HTTP/1.1, HTTP/2 and gRPC, a request at a time in each of some loops. */
import http from 'node:http'
import http2 from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import grpc from '@grpc/grpc-js'
import { type Bytes, bytes, echoServer, echoService } from '../../../../packages/stream/test/echo-service.js'
import type { Stand } from './stands.js'

/** A service that is asked. */
export interface Asked {
  /** One request, and its answer. */
  ask(): Promise<void>
  close(): void
}

/** A kind of service. */
export interface Service {
  readonly title: string
  /** How many requests are under way. */
  readonly concurrency: number
  open(stand: Stand): Promise<Asked>
}

const ANSWER = 'hello, world'

const http1: Service = {
  title: 'HTTP/1.1',
  concurrency: 8,
  async open(stand) {
    const server = http.createServer((_request, response) => response.end(ANSWER))
    const { connect, close } = await stand.open((stream) => server.emit('connection', stream))
    const agent = new http.Agent({ keepAlive: true, maxSockets: this.concurrency })
    agent.createConnection = connect
    return {
      ask: () =>
        new Promise((resolve, reject) => {
          const request = http.get({ agent, host: 'server' }, (response) => {
            buffer(response).then((body) => {
              if (body.length === ANSWER.length) resolve()
              else reject(new Error('a wrong answer'))
            }, reject)
          })
          request.on('error', reject)
        }),
      close() {
        agent.destroy()
        server.closeAllConnections()
        close()
      },
    }
  },
}

const httpTwo: Service = {
  title: 'HTTP/2',
  concurrency: 32,
  async open(stand) {
    const server = http2.createServer()
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 })
      stream.end(ANSWER)
    })
    const { connect, close } = await stand.open((stream) => server.emit('connection', stream))
    const session = http2.connect('http://server', { createConnection: connect })
    return {
      async ask() {
        const stream = session.request({ ':path': '/' })
        stream.end()
        if ((await buffer(stream)).length !== ANSWER.length) throw new Error('a wrong answer')
      },
      close() {
        session.destroy()
        close()
      },
    }
  },
}

const gRpc: Service = {
  title: 'gRPC',
  concurrency: 32,
  async open(stand) {
    const server = echoServer(() => {})
    const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure())
    const { connect, close } = await stand.open((stream) => injector.injectConnection(stream))
    const baseUrl = 'http://server'
    const sessionManager = new Http2SessionManager(baseUrl, {}, { createConnection: connect })
    const echo = createClient(echoService, createGrpcTransport({ baseUrl, sessionManager })) as unknown as {
      unary(request: Bytes): Promise<Bytes>
    }
    const request = bytes(Buffer.from(ANSWER))
    return {
      async ask() {
        if ((await echo.unary(request)).data.length !== ANSWER.length) throw new Error('a wrong answer')
      },
      close() {
        sessionManager.abort()
        server.forceShutdown()
        close()
      },
    }
  },
}

export const services: readonly Service[] = [http1, httpTwo, gRpc]
