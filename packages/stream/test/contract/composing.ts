/** With the rest of `node:stream`. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Duplex, PassThrough, Readable, Transform } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { expect, it } from 'vitest'
import type { Ground } from './ground.js'
import { eventsOf, pattern, readAll, withPair } from './pair.js'

const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

export function composing(ground: Ground): void {
  it('is the end of a pipeline, and the beginning of one', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(2 << 20)
      const received: Buffer[] = []
      await Promise.all([
        pipeline(Readable.from([bytes]), createGzip(), client, { end: true }),
        pipeline(server, createGunzip(), async (source: AsyncIterable<Buffer>) => {
          for await (const chunk of source) received.push(chunk)
        }),
      ])
      expect(hash(Buffer.concat(received))).toBe(hash(bytes))
    }))

  it('is the middle of a pipeline', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(1 << 20)
      const received: Buffer[] = []
      server.pipe(server)
      await pipeline(Readable.from([bytes]), client, async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) received.push(chunk)
      })
      expect(hash(Buffer.concat(received))).toBe(hash(bytes))
    }))

  it('is destroyed by a pipeline that fails', () =>
    withPair(ground, {}, async ({ client, server }) => {
      server.resume()
      const source = new Readable({ read() {} })
      source.push('some')
      const piped = pipeline(source, client)
      await once(server, 'data')
      source.destroy(new Error('no more'))
      await expect(piped).rejects.toMatchObject({ message: 'no more' })
      expect(client.destroyed).toBe(true)
    }))

  it('finished tells both ends', () =>
    withPair(ground, {}, async ({ client, server }) => {
      client.resume()
      server.resume()
      const both = [finished(client), finished(server)]
      client.end('x')
      await Promise.all(both)
    }))

  it('finished tells of a premature close', () =>
    withPair(ground, {}, async ({ client }) => {
      const told = finished(client)
      client.destroy()
      await expect(told).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
    }))

  it('finished tells of an error', () =>
    withPair(ground, {}, async ({ client }) => {
      const told = finished(client)
      client.destroy(new Error('why'))
      await expect(told).rejects.toMatchObject({ message: 'why' })
    }))

  it('pipes with backpressure to a slow destination', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(4 << 20)
      const received: Buffer[] = []
      const slow = new PassThrough({ highWaterMark: 1000 })
      server.pipe(slow)
      client.end(bytes)
      for await (const chunk of slow) received.push(chunk)
      expect(hash(Buffer.concat(received))).toBe(hash(bytes))
    }))

  it('is composed', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const upper = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          done(null, String(chunk).toUpperCase())
        },
      })
      const composed = server.compose(upper) as unknown as Duplex
      client.end('hello')
      let text = ''
      for await (const chunk of composed) text += String(chunk)
      expect(text).toBe('HELLO')
    }))

  it('is read by operators', () =>
    withPair(ground, {}, async ({ client, server }) => {
      client.end('abc')
      const codes = await server.flatMap((chunk: Buffer) => [...chunk]).toArray()
      expect(codes).toEqual([97, 98, 99])
    }))

  it('is two web streams', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(300_000)
      const all = readAll(server)
      const { readable, writable } = Duplex.toWeb(client)
      const writer = writable.getWriter()
      await writer.write(bytes)
      await writer.close()
      expect(hash(await all)).toBe(hash(bytes))
      const reader = readable.getReader()
      expect(await reader.read()).toMatchObject({ done: true })
    }))

  it('keeps both directions apart', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const [up, down] = [pattern(3 << 20, 1), pattern(3 << 20, 2)]
      const events = eventsOf(client)
      const [atServer, atClient] = [readAll(server), readAll(client)]
      client.end(up)
      server.end(down)
      expect(hash(await atServer)).toBe(hash(up))
      expect(hash(await atClient)).toBe(hash(down))
      expect(events).not.toContain('error')
    }))
}
