/** Unmodified undici, and its fetch, over each transport. */
import http from 'node:http'
import http2 from 'node:http2'
import { Agent, fetch, request } from 'undici'
import { expect, it } from 'vitest'
import { serve } from '../src/index.js'
import { undiciConnector } from '../src/undici.js'
import { pattern } from './contract/pair.js'
import { onWires } from './on-wires.js'
import type { Wire } from './wires.js'

async function open(wire: Wire, application: http.Server | http2.Http2Server, isHttp2 = false) {
  const { client, server, address } = wire.open()
  const listener = await serve(application, server, address)
  const dispatcher = new Agent({
    connect: undiciConnector(client, {
      address: listener.listeningAddress!,
      http2: isHttp2,
    }) as unknown as Agent.Options['connect'] & object,
    allowH2: isHttp2,
  })
  return {
    dispatcher,
    async close() {
      await dispatcher.close()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

onWires('undici', (wire) => {
  it('requests and fetches', async () => {
    const service = await open(
      wire,
      http.createServer((asked, response) => asked.pipe(response)),
    )
    const { dispatcher } = service
    const requested = await request('http://service/', { dispatcher, method: 'POST', body: 'request' })
    expect(await requested.body.text()).toBe('request')
    const bytes = pattern(3 << 20)
    const fetched = await fetch('http://service/', { dispatcher, method: 'POST', body: bytes })
    expect(Buffer.from(await fetched.arrayBuffer()).equals(bytes)).toBe(true)
    await service.close()
  })

  it('speaks HTTP/2', async () => {
    const application = http2.createServer((asked, response) => {
      response.setHeader('version', asked.httpVersion)
      asked.pipe(response)
    })
    const service = await open(wire, application, true)
    const { dispatcher } = service
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        request('http://service/', { dispatcher, method: 'POST', body: `request ${index}` }),
      ),
    )
    for (const [index, answer] of answers.entries()) {
      expect(answer.headers.version).toBe('2.0')
      expect(await answer.body.text()).toBe(`request ${index}`)
    }
    await service.close()
  })

  it('tells that nobody listens', async () => {
    const service = await open(wire, http.createServer())
    await service.close()
    const { client, address } = wire.open()
    const target = { ...address, port: 9 }
    const dispatcher = new Agent({ connect: undiciConnector(client, { address: target }) as never })
    const cause = await request('http://service/', { dispatcher }).then(
      () => undefined,
      (error: Error) => error,
    )
    expect(cause).toMatchObject({ code: 'ERR_NETTS_CONNECT_FAILED' })
    await dispatcher.destroy()
  })
})
