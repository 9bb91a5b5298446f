/** Writing: order, encodings, corking, callbacks and backpressure. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { Ground } from './ground.js'
import { eventsOf, pattern, readAll, someTurns, withPair } from './pair.js'

/** More than all the buffers between two ends. */
const MORE_THAN_FITS = 32 << 20

export function writing(ground: Ground): void {
  it('carries bytes of any size, in order', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const sizes = [1, 2, 1023, 1024, 1025, 16_383, 16_384, 65_536, 70_001, 1 << 20]
      const all = readAll(server)
      const expected = sizes.map((size, index) => pattern(size, index))
      for (const bytes of expected) client.write(bytes)
      client.end()
      expect((await all).equals(Buffer.concat(expected))).toBe(true)
      expect(server.bytesRead).toBe(client.bytesWritten)
    }))

  it('carries strings in every encoding, and views', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const all = readAll(server)
      client.write('ä€')
      client.write('\xe4', 'latin1')
      client.write('c3a4', 'hex')
      client.write('w6Q=', 'base64')
      client.write('ä', 'utf16le')
      client.write(new Uint8Array([1, 2, 3]).subarray(1))
      client.end('end', 'ascii')
      expect((await all).toString('hex')).toBe('c3a4e282ace4c3a4c3a4e4000203656e64')
    }))

  it('sends what was corked once it is uncorked', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const chunks: Buffer[] = []
      server.on('data', (chunk: Buffer) => chunks.push(chunk))
      client.cork()
      client.cork()
      for (let i = 0; i < 100; i++) client.write(`${i},`)
      expect(client.writableCorked).toBe(2)
      client.uncork()
      await someTurns()
      expect(chunks).toEqual([])
      client.uncork()
      client.end()
      await once(server, 'end')
      expect(String(Buffer.concat(chunks))).toBe(Array.from({ length: 100 }, (_, i) => `${i},`).join(''))
    }))

  it('calls back in order, and never before write returned', () =>
    withPair(ground, {}, async ({ client, server }) => {
      server.resume()
      const called: number[] = []
      for (let i = 0; i < 20; i++) {
        let hasReturned = false
        client.write(pattern(i * 1000), () => {
          expect(hasReturned).toBe(true)
          called.push(i)
        })
        hasReturned = true
      }
      client.end()
      await once(client, 'finish')
      expect(called).toEqual(Array.from({ length: 20 }, (_, i) => i))
    }))

  it('takes writes of no bytes for no end', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const events = eventsOf(server)
      const chunks: Buffer[] = []
      server.on('data', (chunk: Buffer) => chunks.push(chunk))
      await new Promise((resolve) => client.write('', resolve))
      await new Promise((resolve) => client.write(Buffer.alloc(0), resolve))
      client.cork()
      client.write('')
      client.write('a')
      client.write(Buffer.alloc(0))
      client.write('b')
      client.uncork()
      while (Buffer.concat(chunks).length < 2) await once(server, 'data')
      await someTurns()
      expect(String(Buffer.concat(chunks))).toBe('ab')
      expect(events).toEqual([])
      client.end(Buffer.alloc(0))
      await once(server, 'end')
    }))

  it('says no when enough waits, and drain when it has left', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(100_000)
      let byteLength = 0
      while (client.write(bytes)) byteLength += bytes.length
      byteLength += bytes.length
      expect(client.writableNeedDrain).toBe(true)
      const drained = once(client, 'drain')
      server.resume()
      await drained
      expect(client.writableLength).toBe(0)
      client.end()
      await once(server, 'end')
      expect(server.bytesRead).toBe(byteLength)
    }))

  it('waits for a reader that does not read, and loses nothing by it', () =>
    withPair(ground, {}, async ({ client, server }) => {
      const bytes = pattern(1 << 20)
      let byteLength = 0
      const events = eventsOf(client)
      // No listener for data: nothing is read.
      while (byteLength < MORE_THAN_FITS) {
        client.write(bytes)
        byteLength += bytes.length
      }
      await someTurns()
      expect(client.writableNeedDrain).toBe(true)
      expect(events).toEqual([])
      const all = readAll(server)
      await once(client, 'drain')
      client.end()
      const received = await all
      expect(received.length).toBe(byteLength)
      for (let at = 0; at < byteLength; at += bytes.length) {
        expect(received.subarray(at, at + bytes.length).equals(bytes)).toBe(true)
      }
    }))

  it('refuses a write after the end', () =>
    withPair(ground, { server: { allowHalfOpen: true } }, async ({ client, server }) => {
      const all = readAll(server)
      client.end('last')
      await once(client, 'finish')
      const told = new Promise((resolve) => client.once('error', resolve))
      const called = new Promise((resolve) => client.write('more', resolve))
      expect(await told).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' })
      expect(await called).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' })
      expect(client.destroyed).toBe(true)
      // What was written before still goes.
      expect(String(await all)).toBe('last')
    }))

  it('refuses a write after destroy, by its callback alone', () =>
    withPair(ground, {}, async ({ client }) => {
      client.destroy()
      const events = eventsOf(client)
      const called = new Promise((resolve) => client.write('more', resolve))
      expect(await called).toMatchObject({ code: 'ERR_STREAM_DESTROYED' })
      await someTurns()
      expect(events.filter((event) => event === 'error')).toEqual([])
    }))

  it('tells every write that waits when it is destroyed', () =>
    withPair(ground, {}, async ({ client }) => {
      const outcomes: boolean[] = []
      const bytes = pattern(1 << 20)
      const count = MORE_THAN_FITS / bytes.length
      for (let i = 0; i < count; i++) client.write(bytes, (error) => outcomes.push(Boolean(error)))
      await someTurns()
      client.destroy()
      await once(client, 'close')
      await someTurns()
      expect(outcomes.length).toBe(count)
      expect(outcomes.at(-1)).toBe(true)
      // Those that succeeded did so before any that failed.
      expect(outcomes).toEqual([...outcomes].sort())
    }))

  it('refuses what is neither string nor bytes', () =>
    withPair(ground, {}, async ({ client }) => {
      expect(() => client.write(5)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
      expect(() => client.write(null)).toThrow(expect.objectContaining({ code: 'ERR_STREAM_NULL_VALUES' }))
    }))
}
