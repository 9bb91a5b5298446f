/** What a stream hands to its transport, seen between the two, and what it says of it meanwhile. */
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import type { Transport } from '@netts/core'
import { createMockNetwork, type MockFaults } from '@netts/mock'
import { expect, it } from 'vitest'
import { createStream, type StreamOptions } from '../src/index.js'
import { pattern, someTurns } from './contract/pair.js'

/** A transport that closes without an error at any moment, as a faulty driver may. */
function closing(transport: Transport, isClosed: () => boolean): Transport {
  return new Proxy(transport, {
    get(target, name) {
      if (name === 'pollDisconnect' && isClosed()) return () => true
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

/** Notes the lengths of the parts of each send, and what was accepted of them. */
function watched(transport: Transport, sends: string[]): Transport {
  return new Proxy(transport, {
    get(target, name) {
      if (name === 'sendCopy') {
        return (bytes: Uint8Array) => {
          const accepted = target.sendCopy(bytes)
          sends.push(`copy ${bytes.length}: ${accepted}`)
          return accepted
        }
      }
      if (name === 'sendGather') {
        return (parts: readonly Uint8Array[]) => {
          const lengths = parts.map(({ length }) => length)
          const accepted = target.sendGather(parts)
          sends.push(`gather ${lengths.join('+')}: ${accepted}`)
          return accepted
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

async function open(faults: MockFaults = {}, options: StreamOptions = {}, isClosed = () => false) {
  const network = createMockNetwork({ faults })
  const listener = await network.builder().listen({ host: 'service', port: 1 })
  const [near, far] = await Promise.all([network.builder().connect(listener.address), listener.accept()])
  await listener.close()
  const sends: string[] = []
  const client = createStream(closing(watched(near, sends), isClosed), options)
  const server = createStream(far!)
  return { client, server, sends, link: network.links[0]! }
}

it('sends what was corked at once, and a write alone as it is', async () => {
  const { client, server, sends } = await open()
  const all = buffer(server)
  client.write('alone')
  client.cork()
  client.write('a')
  client.write('')
  client.write('bc')
  client.write('def')
  client.uncork()
  client.end()
  expect(String(await all)).toBe('aloneabcdef')
  expect(sends).toEqual(['copy 5: 5', 'gather 1+2+3: 6'])
})

it('goes on where the transport stopped, be that within a part or behind it', async () => {
  const { client, server, sends } = await open({ client: { maxAccept: 4 } })
  const all = buffer(server)
  client.cork()
  for (const part of ['abcd', 'ef', 'ghij', 'k']) client.write(part)
  client.uncork()
  client.end()
  expect(String(await all)).toBe('abcdefghijk')
  expect(sends).toEqual(['gather 4+2+4+1: 4', 'gather 2+4+1: 4', 'gather 2+1: 3'])
})

it('counts what the transport has accepted of a write, and the write once', async () => {
  const { client, server, link } = await open()
  const bytes = pattern(4 << 20)
  link.client.stall()
  let isDone = false
  client.write(bytes, () => {
    isDone = true
  })
  await someTurns()
  const { bytesAccepted } = client
  expect(bytesAccepted).toBeGreaterThan(0)
  expect(bytesAccepted).toBeLessThan(bytes.length)
  expect(client.bytesWritten).toBe(bytes.length)
  expect(isDone).toBe(false)
  link.client.resume()
  const all = buffer(server)
  client.end()
  expect((await all).equals(bytes)).toBe(true)
  expect([client.bytesAccepted, client.bytesWritten, isDone]).toEqual([bytes.length, bytes.length, true])
})

it('has finished when the wire took everything, and not when the transport did', async () => {
  const { client, server, link } = await open()
  link.client.stall()
  client.end('last')
  await someTurns()
  expect([client.bytesAccepted, client.writableFinished]).toEqual([4, false])
  const finished = once(client, 'finish')
  link.client.resume()
  expect(String(await buffer(server))).toBe('last')
  await finished
})

it.each([
  [10, { writableHighWaterMark: 10 }],
  [64 << 10, {}],
])('says no once %i bytes wait, with the options %o', async (byteLength, options) => {
  const { client, server } = await open({}, options)
  client.cork()
  expect([client.write(pattern(byteLength - 1)), client.write('1')]).toEqual([true, false])
  client.uncork()
  const all = buffer(server)
  client.end()
  expect((await all).length).toBe(byteLength)
})

it('counts what leaves later of a write as activity', async () => {
  const { client, server, link } = await open()
  link.client.stall()
  client.write(pattern(4 << 20))
  const idle = once(client, 'timeout')
  client.setTimeout(10)
  await idle
  // It counts anew only behind activity, and nothing else happens here.
  const idleAgain = once(client, 'timeout')
  server.resume()
  link.client.resume()
  await idleAgain
  client.destroy()
  server.destroy()
})

it('tells a write that it failed where the transport closes without an error', async () => {
  let isClosed = false
  const { client, server, link } = await open({}, {}, () => isClosed)
  link.client.stall()
  const failed = new Promise((resolve) => client.once('error', resolve))
  const written = new Promise((resolve) => client.write(pattern(4 << 20), resolve))
  await someTurns()
  isClosed = true
  server.write('wakes it')
  expect(await written).toMatchObject({ code: 'ERR_NETTS_CLOSED', operation: 'write' })
  expect(await failed).toMatchObject({ code: 'ERR_NETTS_CLOSED' })
  link.client.resume()
  server.destroy()
})
