/** Half-close, from either side: every byte before it arrives, and the other direction goes on. */
import assert from 'node:assert/strict'
import type { Pair } from '../harness/context.js'
import { pause } from '../harness/deadline.js'
import { assertThrows } from '../harness/expect.js'
import type { Area } from './area.js'

export const halfCloseRules: Area = (rule, settings) => {
  for (const first of ['client', 'server'] as const) {
    const ends = (pair: Pair) => {
      const second = first === 'client' ? 'server' : 'client'
      return { near: pair[first], far: pair[second] }
    }

    rule(
      `when the ${first} finishes, its peer gets all of it, then the end, and may send on`,
      async (context) => {
        const { near, far } = ends(await context.pair())
        await Promise.all([
          near.send(settings.bulkByteLength / 4).then(() => near.transport.finish()),
          far.receiveToEnd(),
        ])
        assert.equal(near.transport.state, 'finished')
        assert.equal(near.transport.pollDisconnect(), false)
        assert.equal(far.transport.state, 'open')
        assert.equal(far.transport.pollDisconnect(), false)
        const bulk = settings.bulkByteLength / 4
        await Promise.all([far.send(bulk), near.receiveTo(bulk)])
        far.transport.finish()
        await near.receiveToEnd()
        for (const end of [near, far]) {
          assert.equal(await end.closed(), undefined)
          assert.equal(end.transport.recvEnded, true)
        }
      },
    )

    rule(
      `when the ${first} finishes without having sent anything, its peer gets the end alone`,
      async (context) => {
        const { near, far } = ends(await context.pair())
        near.transport.finish()
        await far.receiveToEnd()
        assert.equal(far.received, 0)
      },
    )
  }

  rule('finishing behind data that the reader has not taken delivers it first', async (context) => {
    const { client, server } = await context.pair()
    await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
    client.transport.finish()
    await pause(5)
    assert.equal(client.transport.pollDisconnect(), false)
    await server.receiveToEnd()
  })

  rule('both sides finishing at the same time close cleanly', async (context) => {
    const { client, server } = await context.pair()
    const talking = [client, server].map(async (end) => {
      await end.send(5000)
      end.transport.finish()
    })
    await Promise.all([...talking, client.receiveToEnd(), server.receiveToEnd()])
    for (const end of [client, server]) assert.equal(await end.closed(), undefined)
  })

  rule('finish is idempotent, and sends after it throw ERR_NETTS_INVALID_STATE', async (context) => {
    const { client, server } = await context.pair()
    await client.send(10)
    client.transport.finish()
    client.transport.finish()
    const buffer = client.transport.bufferPool.alloc(1)
    buffer.bytes[0] = 1
    const byte = Uint8Array.of(1)
    assertThrows(() => client.transport.sendCopy(byte), 'ERR_NETTS_INVALID_STATE')
    assertThrows(() => client.transport.sendGather([byte]), 'ERR_NETTS_INVALID_STATE')
    assertThrows(() => client.transport.sendBuffer(buffer), 'ERR_NETTS_INVALID_STATE')
    buffer.release()
    await server.receiveToEnd()
    server.transport.finish()
    await Promise.all([client.closed(), server.closed()])
    client.transport.finish()
    assert.equal(client.transport.error, undefined)
  })

  rule('chunks held across the end of both directions stay intact', async (context) => {
    const { client, server } = await context.pair()
    await client.send(1000)
    client.transport.finish()
    const held = await server.until('a chunk', () => {
      const chunks = server.take(1)
      return chunks.length > 0 ? chunks : undefined
    })
    await server.receiveToEnd()
    server.transport.finish()
    await Promise.all([client.closed(), server.closed()])
    for (const chunk of held) server.release(chunk)
  })
}
