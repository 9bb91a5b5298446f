import { connect, createServer, type Server, type Socket } from 'node:net'
import { createConnection } from '@netts/core'
import { afterEach, expect, test } from 'vitest'
import { serverEnds } from './addresses.js'
import { adopt } from './adopt.js'
import { checkOptions } from './options.js'
import { ReadBuffers } from './read-buffers.js'
import { TcpTransport } from './transport.js'

const opened: { destroy(): void }[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.destroy()
})

/** A connection: the client's socket, and the one the server was given, unread. */
async function connected(): Promise<{ client: Socket; accepted: Socket; server: Server }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  const accepting = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect((server.address() as { port: number }).port, '127.0.0.1')
  const accepted = await accepting
  opened.push(client, accepted, { destroy: () => server.close() })
  return { client, accepted, server }
}

test('what was sent before is read into the memory given, and the other way works too', async () => {
  const { client, accepted } = await connected()
  client.write('before')
  const reads = new ReadBuffers()
  const received: string[] = []
  reads.sink = { onRead: ({ bytes }) => received.push(bytes.toString()) }
  const adopted = adopt(accepted, reads)
  expect(adopted).toBeDefined()
  opened.push(adopted!)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(received).toEqual([])
  adopted!.resume()
  await expect.poll(() => received.join('')).toBe('before')
  const answer = new Promise<string>((resolve) => client.once('data', (bytes) => resolve(bytes.toString())))
  adopted!.write('answer')
  expect(await answer).toBe('answer')
})

test('a server does not wait for the socket that was left behind', async () => {
  const { accepted, server } = await connected()
  opened.push(adopt(accepted, new ReadBuffers())!)
  await new Promise((resolve) => server.close(resolve))
})

test('a socket that can not be adopted stays as it is, and a transport over it works all the same', async () => {
  const { client, accepted } = await connected()
  const wrapping = accepted as unknown as { _handle: { useUserBuffer: unknown } }
  wrapping._handle.useUserBuffer = undefined
  expect(adopt(accepted, new ReadBuffers())).toBeUndefined()
  expect(accepted.destroyed).toBe(false)
  const ends = serverEnds(accepted, { host: '127.0.0.1', port: 0 })!
  const transport = new TcpTransport(accepted, ends, checkOptions())
  const connection = createConnection(transport)
  transport.start()
  client.write(Buffer.from([0, 0, 0, 5, ...Buffer.from('hello')]))
  expect(String(await connection.recv())).toBe('hello')
  connection.destroy()
})
