/** Unmodified fastify, express and plain `node:http` over each transport. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { buffer } from 'node:stream/consumers'
import fastify from 'fastify'
import { expect, it } from 'vitest'
import { createHttpAgent } from '../src/http.js'
import { connectStream, serve } from '../src/index.js'
import { pattern } from './contract/pair.js'
import { onWires } from './on-wires.js'
import type { Wire } from './wires.js'

/** Serves an application, and gives a client of it. */
async function open(wire: Wire, application: http.Server, agentOptions: http.AgentOptions = {}) {
  const { client, server, address } = wire.open()
  const listener = await serve(application, server, address)
  const target = listener.listeningAddress!
  const agent = createHttpAgent(client, { ...agentOptions, connection: { address: target } })
  const request = (options: http.RequestOptions, body?: Buffer | string) =>
    new Promise<{ response: http.IncomingMessage; body: Buffer }>((resolve, reject) => {
      const sent = http.request({ host: 'service', agent, ...options }, (response) => {
        buffer(response).then((bytes) => resolve({ response, body: bytes }), reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })
  return {
    listener,
    agent,
    request,
    connect: () => connectStream(client, target),
    async close() {
      agent.destroy()
      application.closeAllConnections()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

onWires('http', (wire) => {
  it('a fastify application answers, and parses what it is sent', async () => {
    const app = fastify()
    app.get('/hello/:name', async (request) => ({ hello: (request.params as { name: string }).name }))
    app.post('/sum', async (request) => ({
      sum: (request.body as number[]).reduce((sum, value) => sum + value, 0),
    }))
    await app.ready()
    const service = await open(wire, app.server)
    const hello = await service.request({ path: '/hello/world' })
    expect(hello.response.statusCode).toBe(200)
    expect(JSON.parse(String(hello.body))).toEqual({ hello: 'world' })
    const headers = { 'content-type': 'application/json' }
    const sum = await service.request({ method: 'POST', path: '/sum', headers }, '[1, 2, 3]')
    expect(JSON.parse(String(sum.body))).toEqual({ sum: 6 })
    const missing = await service.request({ path: '/nothing' })
    expect(missing.response.statusCode).toBe(404)
    await service.close()
    await app.close()
  })

  it('bodies stream both ways', async () => {
    const server = http.createServer((request, response) => {
      if (request.url === '/bytes') response.end(pattern(5 << 20))
      else void buffer(request).then((bytes) => response.end(hash(bytes)))
    })
    const service = await open(wire, server)
    const bytes = pattern(5 << 20, 3)
    const hashed = await service.request({ method: 'POST', path: '/hash' }, bytes)
    expect(String(hashed.body)).toBe(hash(bytes))
    expect(hash((await service.request({ path: '/bytes' })).body)).toBe(hash(pattern(5 << 20)))
    await service.close()
  })

  it('an agent keeps connections alive, and uses them again', async () => {
    const server = http.createServer((_request, response) => response.end('ok'))
    let connections = 0
    server.on('connection', () => connections++)
    const service = await open(wire, server, { keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < 20; i++) expect(String((await service.request({ path: '/' })).body)).toBe('ok')
    const together = await Promise.all(Array.from({ length: 20 }, () => service.request({ path: '/' })))
    expect(together.map(({ body }) => String(body))).toEqual(Array(20).fill('ok'))
    expect(connections).toBe(1)
    await service.close()
  })

  it('many requests at a time have a connection each', async () => {
    const server = http.createServer((request, response) => request.pipe(response))
    const service = await open(wire, server)
    const bodies = Array.from({ length: 25 }, (_, index) => pattern(50_000, index))
    const answers = await Promise.all(
      bodies.map((body) => service.request({ method: 'POST', path: '/' }, body)),
    )
    expect(answers.every(({ body }, index) => body.equals(bodies[index]!))).toBe(true)
    await service.close()
  })

  it('a request that is none is answered with 400', async () => {
    const service = await open(
      wire,
      http.createServer(() => {}),
    )
    const stream = service.connect()
    stream.write('NONSENSE\r\n\r\n')
    expect(String(await buffer(stream))).toMatch(/^HTTP\/1.1 400 Bad Request/)
    await service.close()
  })

  it('a client that goes away aborts its request, and harms no other', async () => {
    const server = http.createServer((request, response) => {
      if (request.url === '/fast') response.end('fast')
      else server.emit('slow', response)
    })
    const arrived = once(server, 'slow')
    const service = await open(wire, server)
    const slow = http.get({ host: 'service', path: '/slow', agent: service.agent })
    const failed = once(slow, 'error')
    const [response] = (await arrived) as [http.ServerResponse]
    const wasAborted = once(response, 'close')
    await service.request({ path: '/fast' })
    slow.destroy()
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' })
    await wasAborted
    expect(String((await service.request({ path: '/fast' })).body)).toBe('fast')
    await service.close()
  })

  it('a request to nobody fails as over sockets', async () => {
    const service = await open(
      wire,
      http.createServer(() => {}),
    )
    await service.close()
    await expect(service.request({ path: '/' })).rejects.toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED' })
  })

  it('timeouts of a server count', async () => {
    const server = http.createServer({ headersTimeout: 50, connectionsCheckingInterval: 20 }, () => {})
    const service = await open(wire, server)
    const stream = service.connect()
    stream.write('GET / HTTP/1.1\r\n')
    expect(String(await buffer(stream))).toMatch(/^HTTP\/1.1 408 Request Timeout/)
    await service.close()
  })

  it('a request that is upgraded hands its stream over', async () => {
    const server = http.createServer()
    server.on('upgrade', (_request, stream) => {
      stream.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
      stream.pipe(stream)
    })
    const service = await open(wire, server)
    const request = http.get({
      host: 'service',
      agent: service.agent,
      headers: { Connection: 'Upgrade', Upgrade: 'echo' },
    })
    const [, stream] = (await once(request, 'upgrade')) as [unknown, import('node:stream').Duplex]
    stream.end('upgraded')
    expect(String(await buffer(stream))).toBe('upgraded')
    await service.close()
  })
})
