/** An answer over HTTP/2 that has arrived as a whole before anybody reads it. */
import { once } from 'node:events'
import http2 from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import type { Duplex } from 'node:stream'

/** What it answers with. */
export const ANSWER = 'all at once'

/** A server that does not wait for what it is sent. */
export function answeringServer(): http2.Http2Server {
  const server = http2.createServer()
  server.on('stream', (stream) => {
    stream.resume()
    stream.respond({ ':status': 200 })
    stream.end(ANSWER)
  })
  return server
}

/** Asks, waits until the answer has arrived, and only then reads. @returns the answer, or the code of the error */
export async function readLate(session: http2.ClientHttp2Session): Promise<string> {
  const stream = session.request({ ':path': '/' })
  stream.end()
  while (!stream.closed) await new Promise((resolve) => setImmediate(resolve))
  try {
    let answer = ''
    for await (const piece of stream) answer += String(piece)
    return answer
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

/**
 * {@link readLate} over a socket of `node:net`: the answer, but `ERR_STREAM_PREMATURE_CLOSE` with Node.js from 24.20 and
 * from 26.3 on, until https://github.com/nodejs/node/issues/65677 is mended.
 */
export async function readLateOverSocket(): Promise<string> {
  const application = answeringServer()
  const server = createServer((socket: Duplex) => application.emit('connection', socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const outcome = await readLate(session)
  await new Promise<void>((resolve) => session.close(resolve))
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return outcome
}
