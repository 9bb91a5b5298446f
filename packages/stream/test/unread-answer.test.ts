/** What Node.js makes of an answer that nobody read while it arrived is the same over a socket and over any transport. */
import { expect, it } from 'vitest'
import { connectHttp2 } from '../src/http2.js'
import { serve } from '../src/index.js'
import { onWires } from './on-wires.js'
import { ANSWER, answeringServer, readLate, readLateOverSocket } from './unread-answer.js'

const overSocket = await readLateOverSocket()

it('over a socket it is the answer, or what faulty versions of Node.js say', () => {
  expect([ANSWER, 'ERR_STREAM_PREMATURE_CLOSE']).toContain(overSocket)
})

onWires('an answer that is read late', (wire) => {
  it(`is ${overSocket}, as over a socket`, async () => {
    const { client, server, address } = wire.open()
    const listener = await serve(answeringServer(), server, address)
    const session = connectHttp2(client, 'http://service', {
      connection: { address: listener.listeningAddress! },
    })
    expect(await readLate(session)).toBe(overSocket)
    await new Promise<void>((resolve) => session.close(resolve))
    await new Promise<void>((resolve) => listener.close(() => resolve()))
  })
})
