/** What `createStream` takes, and the simplest of what it gives. */
import { createMockNetwork } from '@netts/mock'
import { expect, it } from 'vitest'
import { createStream } from './index.js'

async function transports() {
  const network = createMockNetwork()
  const listener = await network.builder().listen({ host: 'a', port: 1 })
  const [client, server] = await Promise.all([network.builder().connect(listener.address), listener.accept()])
  await listener.close()
  return { client, server: server! }
}

it('carries bytes both ways, and ends', async () => {
  const { client, server } = await transports()
  const [near, far] = [createStream(client), createStream(server)]
  near.end('hello')
  far.pipe(far)
  let text = ''
  for await (const chunk of near) text += String(chunk)
  expect(text).toBe('hello')
})

it('refuses what is no transport, and options that do not exist', async () => {
  const { client, server } = await transports()
  expect(() => createStream(Promise.resolve(client) as never)).toThrow(/must be a Transport/)
  expect(() => createStream(client, { allowHalfOpne: true } as never)).toThrow(/did you mean 'allowHalfOpen'/)
  expect(() => createStream(client, { readableHighWaterMark: 0 })).toThrow(/readableHighWaterMark/)
  client.destroy()
  server.destroy()
})
