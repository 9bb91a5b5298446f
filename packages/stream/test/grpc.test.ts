/** gRPC over each transport: an unmodified server of @grpc/grpc-js, and connect-node as its client. */
import { Code, createClient } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import grpc from '@grpc/grpc-js'
import { expect, it } from 'vitest'
import { EarlyReadingSessionManager } from '../examples/grpc-session-manager.js'
import { serveGrpc } from '../src/grpc.js'
import { createConnector } from '../src/index.js'
import { pattern } from './contract/pair.js'
import { type Bytes, bytes, echoServer, echoService } from './echo-service.js'
import { onWires } from './on-wires.js'
import { ANSWER, readLateOverSocket } from './unread-answer.js'
import { loopbackWire, sendRecvDriver, type Wire, wires } from './wires.js'

/** As it ships, but where Node.js loses answers that arrive as a whole: there as the README says. */
const SessionManager =
  (await readLateOverSocket()) === ANSWER ? Http2SessionManager : EarlyReadingSessionManager

interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}
/** The client of a service described at run time has no types of its own. */
interface EchoClient {
  unary(request: Bytes, options?: CallOptions): Promise<Bytes>
  down(request: Bytes): AsyncIterable<Bytes>
  up(requests: AsyncIterable<Bytes>): Promise<Bytes>
  both(requests: AsyncIterable<Bytes>, options?: CallOptions): AsyncIterable<Bytes>
}

async function open(wire: Wire) {
  let onCancelled!: () => void
  const cancelled = new Promise<void>((resolve) => {
    onCancelled = resolve
  })
  const service = echoServer(onCancelled)
  const { client, server, address } = wire.open()
  const listener = await serveGrpc(service, grpc.ServerCredentials.createInsecure(), server, address)
  const connect = createConnector(client, { address: listener.listeningAddress! })
  const baseUrl = 'http://service'
  const sessionManager = new SessionManager(baseUrl, {}, { createConnection: connect })
  const transport = createGrpcTransport({ baseUrl, sessionManager })
  return {
    echo: createClient(echoService, transport) as unknown as EchoClient,
    cancelled,
    async close() {
      sessionManager.abort()
      service.forceShutdown()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Bytes> {
  for (const piece of pieces) yield bytes(piece)
}

async function joined(pieces: AsyncIterable<Bytes>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const { data } of pieces) all.push(data)
  return Buffer.concat(all)
}

onWires(
  'gRPC',
  (wire) => {
    it('unary calls, one and many at a time', async () => {
      const { echo, close } = await open(wire)
      const data = pattern(100_000)
      expect(Buffer.from((await echo.unary(bytes(data))).data).equals(data)).toBe(true)
      const many = Array.from({ length: 50 }, (_, index) => pattern(5000, index))
      const answers = await Promise.all(many.map((each) => echo.unary(bytes(each))))
      expect(answers.every((answer, index) => many[index]!.equals(answer.data))).toBe(true)
      await close()
    })

    it('errors with their code', async () => {
      const { echo, close } = await open(wire)
      await expect(echo.unary(bytes(Buffer.from('missing')))).rejects.toMatchObject({
        code: Code.NotFound,
        rawMessage: 'there is none',
      })
      await close()
    })

    it('streams of the server', async () => {
      const { echo, close } = await open(wire)
      const data = pattern(1 << 20)
      expect((await joined(echo.down(bytes(data)))).equals(data)).toBe(true)
      await close()
    })

    it('streams of the client', async () => {
      const { echo, close } = await open(wire)
      const pieces = Array.from({ length: 100 }, (_, index) => pattern(10_000, index))
      const { data } = await echo.up(each(pieces))
      expect(Buffer.concat(pieces).equals(data)).toBe(true)
      await close()
    })

    it('streams both ways', async () => {
      const { echo, close } = await open(wire)
      const pieces = Array.from({ length: 100 }, (_, index) => pattern(10_000, index))
      expect((await joined(echo.both(each(pieces)))).equals(Buffer.concat(pieces))).toBe(true)
      await close()
    })

    it('a call that is cancelled is cancelled at the server', async () => {
      const { echo, cancelled, close } = await open(wire)
      const controller = new AbortController()
      const answers = echo.both(each([pattern(1000)]), { signal: controller.signal })[Symbol.asyncIterator]()
      await answers.next()
      const never = echo.unary(bytes(Buffer.from('never')), { signal: controller.signal })
      const refused = expect(never).rejects.toMatchObject({ code: Code.Canceled })
      await new Promise((resolve) => setImmediate(resolve))
      controller.abort()
      await refused
      await cancelled
      expect(Buffer.from((await echo.unary(bytes(Buffer.from('on')))).data).toString()).toBe('on')
      await close()
    })

    it('a deadline ends a call on both sides', async () => {
      const { echo, cancelled, close } = await open(wire)
      // Connected before, however slow that was, the call is at the server when its time is over.
      await echo.unary(bytes(Buffer.from('on')))
      await expect(echo.unary(bytes(Buffer.from('never')), { timeoutMs: 300 })).rejects.toMatchObject({
        code: Code.DeadlineExceeded,
      })
      await cancelled
      await close()
    })
  },
  [...wires, loopbackWire(sendRecvDriver, { recvDepth: 1 }, 'recvDepth 1')],
)
