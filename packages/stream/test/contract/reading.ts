/** Reading: flowing, paused, by iteration, with an encoding. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { Ground } from './ground.js'
import { eventsOf, pattern, readAll, someTurns, withPair } from './pair.js'

export function reading(ground: Ground): void {
  it('hands over nothing while it is paused, and everything after', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const chunks: Buffer[] = []
      const bytes = pattern(300_000)
      server.on('data', (chunk: Buffer) => chunks.push(chunk))
      server.pause()
      client.end(bytes)
      await someTurns()
      expect(chunks).toEqual([])
      expect(server.isPaused()).toBe(true)
      server.resume()
      await once(server, 'end')
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
    }))

  it('may be paused at every chunk', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const chunks: Buffer[] = []
      const bytes = pattern(200_000)
      server.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        server.pause()
        setImmediate(() => server.resume())
      })
      client.end(bytes)
      await once(server, 'end')
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
    }))

  it('is read by read(n)', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(50_000)
      const chunks: Buffer[] = []
      server.on('readable', () => {
        for (let chunk = server.read(777); chunk; chunk = server.read(777)) chunks.push(chunk)
      })
      client.end(bytes)
      await once(server, 'end')
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
      expect(chunks.slice(0, -1).every(({ length }) => length === 777)).toBe(true)
    }))

  it('is read by iteration', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(500_000)
      client.end(bytes)
      const chunks: Buffer[] = []
      for await (const chunk of server) {
        chunks.push(chunk)
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
    }))

  it('is destroyed by leaving an iteration', () =>
    withPair(ground, {}, async ({ client, server }) => {
      client.write('one')
      for await (const chunk of server) {
        expect('one').toContain(String(chunk))
        break
      }
      expect(server.destroyed).toBe(true)
      client.resume()
      await once(client, 'close')
    }))

  it('decodes characters that lie in two writes', () =>
    withPair(ground, {}, async ({ client, server }) => {
      server.setEncoding('utf8')
      const [first, second] = [Buffer.from([0xe2, 0x82]), Buffer.from([0xac])]
      let text = ''
      server.on('data', (chunk: string) => {
        text += chunk
      })
      client.write(first)
      await someTurns()
      expect(text).toBe('')
      client.end(second)
      await once(server, 'end')
      expect(text).toBe('€')
    }))

  it('takes bytes back by unshift', () =>
    withPair(ground, {}, async ({ client, server }) => {
      client.write('header:body')
      await once(server, 'readable')
      const chunk = server.read() as Buffer
      server.unshift(chunk.subarray(7))
      expect(String(server.read())).toBe('body')
    }))

  it('gives all that was sent before the end, however late it is read', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(40_000)
      const events = eventsOf(server)
      client.end(bytes)
      await once(client, 'finish')
      await someTurns()
      expect(events).toEqual([])
      expect((await readAll(server)).equals(bytes)).toBe(true)
    }))

  it('does not end while nobody reads', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const events = eventsOf(server)
      client.end('unread')
      await once(client, 'finish')
      await someTurns()
      expect(events).toEqual([])
      expect(server).toMatchObject({ readable: true, writable: true, readyState: 'open' })
      server.resume()
      await once(server, 'close')
      expect(events).toEqual(['end', 'finish', 'close(false)'])
    }))

  it('goes on after a listener threw, which is uncaught', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const others = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      const uncaught = new Promise<unknown>((resolve) => process.once('uncaughtException', resolve))
      let text = ''
      server.on('data', (chunk: Buffer) => {
        text += String(chunk)
        if (text === 'a') throw new Error('of the program')
      })
      client.write('a')
      expect(await uncaught).toMatchObject({ message: 'of the program' })
      for (const listener of others) process.on('uncaughtException', listener)
      client.end('b')
      await once(server, 'end')
      expect(text).toBe('ab')
    }))
}
