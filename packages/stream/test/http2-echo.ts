/** A service over HTTP/2 that sends back what it gets, and the load that blocks a stream which does not read while it writes. */
import http2 from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { connectHttp2 } from '../src/http2.js'
import { serve } from '../src/index.js'
import { pattern } from './contract/pair.js'
import type { Wire } from './wires.js'

/** With 100 streams of 256 KiB, more than Node.js allows a session by default. */
const maxSessionMemory = 200

export async function openEcho(wire: Wire) {
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

export async function echo(session: http2.ClientHttp2Session, bytes: Buffer): Promise<Buffer> {
  const stream = session.request({ ':method': 'POST' })
  stream.end(bytes)
  return buffer(stream)
}

/** Echoes so many bodies at a time, both ways. @returns whether each came back as it was */
export async function echoAtATime(wire: Wire, count: number, byteLength: number): Promise<boolean> {
  const service = await openEcho(wire)
  const bodies = Array.from({ length: count }, (_, index) => pattern(byteLength, index))
  const answers = await Promise.all(bodies.map((body) => echo(service.session, body)))
  await service.close()
  return answers.every((answer, index) => answer.equals(bodies[index]!))
}
