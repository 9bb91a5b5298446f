/** HTTP/2 over each transport, and through pipes that hold next to nothing. */
import { once } from 'node:events'
import http2 from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { connectHttp2 } from '../src/http2.js'
import { serve } from '../src/index.js'
import { pattern } from './contract/pair.js'
import { onWires } from './on-wires.js'
import { loopbackWire, mockWire, SMALLEST, simulatedWire, type Wire, wires } from './wires.js'

/** With 100 streams of 256 KiB, more than Node.js allows a session by default. */
const maxSessionMemory = 200

async function openEcho(wire: Wire) {
  const { client, server, address } = wire.open()
  const application = http2.createServer({ maxSessionMemory })
  application.on('stream', (stream) => {
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const listener = await serve(application, server, address)
  const session = connectHttp2(client, 'http://service', {
    maxSessionMemory,
    connection: { address: listener.listeningAddress! },
  })
  return {
    session,
    async close() {
      await new Promise<void>((resolve) => session.close(resolve))
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

async function echo(session: http2.ClientHttp2Session, bytes: Buffer): Promise<Buffer> {
  const stream = session.request({ ':method': 'POST' })
  stream.end(bytes)
  return buffer(stream)
}

onWires('http2', (wire) => {
  it('answers requests', async () => {
    const service = await openEcho(wire)
    const stream = service.session.request({ ':method': 'POST', ':path': '/' })
    stream.end('hello')
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    expect(headers[':status']).toBe(200)
    expect(String(await buffer(stream))).toBe('hello')
    await service.close()
  })

  it('cancels a stream, and goes on', async () => {
    const service = await openEcho(wire)
    const cancelled = service.session.request({ ':method': 'POST' })
    cancelled.write(pattern(100_000))
    await once(cancelled, 'response')
    cancelled.close(http2.constants.NGHTTP2_CANCEL)
    await once(cancelled, 'close')
    expect(String(await echo(service.session, Buffer.from('still there')))).toBe('still there')
    await service.close()
  })
})

const smallest: readonly Wire[] = [
  ...wires,
  mockWire(SMALLEST.mock, 'a mock of one slot of 1 KiB'),
  simulatedWire({ recvDepth: 1 }, 'rdma-sendrecv, simulated, recvDepth 1'),
  simulatedWire(SMALLEST.sendRecv, 'rdma-sendrecv, simulated, one frame of 1 KiB'),
  loopbackWire({ recvDepth: 1 }, 'rdma-sendrecv, loopback, recvDepth 1'),
  loopbackWire(SMALLEST.sendRecv, 'rdma-sendrecv, loopback, one frame of 1 KiB'),
]

onWires(
  'http2 under load',
  (wire) => {
    it('100 streams of 256 KiB both ways at a time never block each other', async () => {
      const service = await openEcho(wire)
      const bodies = Array.from({ length: 100 }, (_, index) => pattern(256 << 10, index))
      const answers = await Promise.all(bodies.map((body) => echo(service.session, body)))
      expect(answers.every((answer, index) => answer.equals(bodies[index]!))).toBe(true)
      await service.close()
    }, 60_000)
  },
  smallest,
)
