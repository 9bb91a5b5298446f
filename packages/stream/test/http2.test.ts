/** HTTP/2 over each transport, and through pipes that hold next to nothing; more of those are in `http2.deep.test.ts`. */
import { once } from 'node:events'
import http2 from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { pattern } from './contract/pair.js'
import { echo, echoAtATime, openEcho } from './http2-echo.js'
import { onWires } from './on-wires.js'
import {
  loopbackWire,
  mockWire,
  oneByteWire,
  ringDriver,
  SMALLEST,
  sendRecvDriver,
  simulatedWire,
  tcpWire,
} from './wires.js'

onWires('http2', (wire) => {
  it('answers requests', async () => {
    const service = await openEcho(wire)
    const stream = service.session.request({ ':method': 'POST', ':path': '/' })
    stream.end('hello')
    // Who begins to read when all of it has arrived is told of a premature close by Node.js 24 and 26, over sockets too.
    const [response, body] = await Promise.all([once(stream, 'response'), buffer(stream)])
    const [headers] = response as [http2.IncomingHttpHeaders]
    expect(headers[':status']).toBe(200)
    expect(String(body)).toBe('hello')
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

onWires(
  'http2 under load',
  (wire) => {
    it('100 streams of 256 KiB both ways at a time never block each other', async () => {
      expect(await echoAtATime(wire, 100, 256 << 10)).toBe(true)
    }, 60_000)
  },
  [
    tcpWire(),
    mockWire(SMALLEST.mock, 'a mock of one slot of 1 KiB'),
    oneByteWire(),
    simulatedWire(sendRecvDriver, { recvDepth: 1 }, 'recvDepth 1'),
    simulatedWire(ringDriver, { capacity: 4096 }, 'a ring of a page'),
    loopbackWire(sendRecvDriver, { recvDepth: 1 }, 'recvDepth 1'),
    loopbackWire(ringDriver, SMALLEST.ring, 'a ring of a page, one send of 1 KiB'),
  ],
)
