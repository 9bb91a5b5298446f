/** Receiving: chunks in place, released in any order, each exactly once. */
import assert from 'node:assert/strict'
import { meanwhile, pause } from '../harness/deadline.js'
import { completions, type HeldChunk } from '../harness/endpoint.js'
import { assertThrows } from '../harness/expect.js'
import { Random } from '../harness/random.js'
import type { Area } from './area.js'

export const receiveRules: Area = (rule, settings) => {
  rule('what does not fit into the array stays queued', async (context) => {
    const { client, server } = await context.pair()
    const writing = meanwhile(
      (async () => {
        for (let i = 0; i < 5; i++) await client.send(100)
        client.transport.finish()
      })(),
    )
    await server.until('the end', () => {
      assert.equal(server.take(0).length, 0)
      for (let [chunk] = server.take(1); chunk; [chunk] = server.take(1)) server.release(chunk)
      return server.transport.recvEnded || undefined
    })
    await writing
    assert.equal(server.received, client.sent)
  })

  rule('pollRecv fills the objects that the caller gave, from the beginning', async (context) => {
    const { client, server } = await context.pair()
    await client.send(1)
    const out = completions(3)
    const given = [...out]
    await server.until('a chunk', () => server.transport.pollRecv(out) || undefined)
    for (const [i, entry] of out.entries()) assert.equal(entry, given[i])
    assert.equal(out[0]!.byteLength, 1)
    assert.deepEqual(out[2], { chunkIndex: -1, byteLength: -1 }, 'an entry beyond the count is left alone')
    server.transport.repostRecv(out[0]!.chunkIndex)
  })

  rule('chunks released in any order stay intact until their own release', async (context) => {
    const { client, server } = await context.pair()
    const random = new Random(settings.seed)
    const held: HeldChunk[] = []
    const byteLength = Math.min(6 * server.transport.recvWindow, settings.bulkByteLength)
    const writing = meanwhile(client.send(byteLength))
    while (server.received < byteLength) {
      await server.until('a chunk', () => {
        const chunks = server.take()
        held.push(...chunks)
        return chunks.length || undefined
      })
      // Keep some chunks, but never so many that the writer stops for good.
      random.shuffle(held)
      const keep = server.guard.heldByteLength > server.transport.recvWindow / 4 ? 0 : random.integer(0, 3)
      while (held.length > keep) server.release(held.pop()!)
    }
    await writing
    for (const chunk of held) server.release(chunk)
  })

  rule('an index that is not handed out is refused with ERR_NETTS_INVALID_ARGUMENT', async (context) => {
    const { client, server } = await context.pair()
    const { transport } = server
    for (const chunkIndex of [0, 5, -1, 1e9, 0.5, Number.NaN]) {
      assertThrows(() => transport.recvBuf(chunkIndex), 'ERR_NETTS_INVALID_ARGUMENT')
      assertThrows(() => transport.repostRecv(chunkIndex), 'ERR_NETTS_INVALID_ARGUMENT')
    }
    await client.send(10)
    const [chunk] = await server.until('a chunk', () => {
      const chunks = server.take(1)
      return chunks.length > 0 ? chunks : undefined
    })
    server.release(chunk!)
    assertThrows(() => transport.recvBuf(chunk!.chunkIndex), 'ERR_NETTS_INVALID_ARGUMENT')
    assertThrows(() => transport.repostRecv(chunk!.chunkIndex), 'ERR_NETTS_INVALID_ARGUMENT')
    await context.checkWorks({ client, server })
  })

  rule('chunks handed out stay readable after the transport closed', async (context) => {
    for (const how of ['destroy', 'disconnect'] as const) {
      const { client, server } = await context.pair()
      await client.send(100)
      const held = await server.until('a chunk', () => {
        const chunks = server.take(1)
        return chunks.length > 0 ? chunks : undefined
      })
      server.transport[how]()
      if (how === 'disconnect') {
        client.transport.disconnect()
        await server.closed()
      }
      await client.ended()
      await pause(1)
      for (const chunk of held) server.release(chunk)
    }
  })

  rule('recvEnded is false as long as a chunk was not handed out', async (context) => {
    const { client, server } = await context.pair()
    await client.send(100)
    client.transport.finish()
    await pause()
    await server.until('the end', () => {
      while (!server.transport.recvEnded) {
        const [chunk] = server.take(1)
        if (!chunk) return undefined
        server.release(chunk)
      }
      return true
    })
    assert.equal(server.received, 100)
    assert.equal(server.take().length, 0)
  })
}
