/** Closing gracefully: what was accepted arrives, input is discarded, and both ends close without an error. */
import assert from 'node:assert/strict'
import type { Pair } from '../harness/context.js'
import { pause } from '../harness/deadline.js'
import { assertCode, assertThrows } from '../harness/expect.js'
import type { Area } from './area.js'

export const disconnectRules: Area = (rule, settings) => {
  for (const first of ['client', 'server'] as const) {
    const ends = (pair: Pair) => {
      const second = first === 'client' ? 'server' : 'client'
      return { near: pair[first], far: pair[second] }
    }

    rule(`what the ${first} sent before it disconnected all arrives`, async (context) => {
      const { near, far } = ends(await context.pair())
      const sending = near.send(settings.bulkByteLength / 4).then(() => near.transport.disconnect())
      await Promise.all([sending, far.receiveToEnd()])
      assert.equal(near.transport.state, 'disconnecting')
      far.transport.finish()
      assert.equal(await near.closed(), undefined)
      assert.equal(await far.closed(), undefined)
    })
  }

  rule('a slow reader still gets everything that was accepted before a disconnect', async (context) => {
    const { client, server } = await context.pair()
    await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
    client.transport.disconnect()
    await pause()
    assert.equal(client.transport.state, 'disconnecting')
    assert.equal(client.transport.pollDisconnect(), false)
    await server.receiveToEnd()
    server.transport.disconnect()
    assert.equal(await client.closed(), undefined)
    assert.equal(await server.closed(), undefined)
  })

  rule('disconnecting discards what the peer still sends, however much', async (context) => {
    const { client, server } = await context.pair()
    await server.send(1000)
    client.transport.disconnect()
    await server.receiveToEnd()
    await server.send(4 * client.transport.recvWindow + settings.bulkByteLength / 4)
    server.transport.finish()
    assert.equal(await client.closed(), undefined)
    assert.equal(await server.closed(), undefined)
  })

  rule('both sides disconnecting at the same time close cleanly', async (context) => {
    for (let round = 0; round < 5; round++) {
      const { client, server } = await context.pair()
      await Promise.all([
        client.send(Math.min(round * 1000, server.transport.recvWindow)),
        server.send(Math.min(round * 3000, client.transport.recvWindow)),
      ])
      client.transport.disconnect()
      server.transport.disconnect()
      assert.equal(await client.closed(), undefined)
      assert.equal(await server.closed(), undefined)
    }
  })

  rule('disconnecting right after connecting closes cleanly', async (context) => {
    const listener = await context.listen()
    const client = await context.connect(listener.address)
    client.disconnect()
    const server = context.serverEnd(await context.accept(listener))
    await server.receiveToEnd()
    server.transport.disconnect()
    assert.equal(await server.closed(), undefined)
    await context.eventually('the client to be closed', () => client.pollDisconnect())
    assert.equal(client.error, undefined)
  })

  rule(
    'disconnect follows finish, is idempotent, and sends after it throw ERR_NETTS_INVALID_STATE',
    async (context) => {
      const { client, server } = await context.pair()
      await client.send(10)
      client.transport.finish()
      client.transport.disconnect()
      client.transport.disconnect()
      assertThrows(() => client.transport.sendCopy(Uint8Array.of(1)), 'ERR_NETTS_INVALID_STATE')
      await server.receiveToEnd()
      server.transport.disconnect()
      assertThrows(() => server.transport.sendCopy(Uint8Array.of(1)), 'ERR_NETTS_INVALID_STATE')
      await Promise.all([client.closed(), server.closed()])
      for (const { transport } of [client, server]) {
        transport.disconnect()
        transport.finish()
        transport.destroy()
        assert.equal(transport.error, undefined, 'a clean end stays clean')
      }
    },
  )

  rule('a transport without sends or reads still closes by disconnect', async (context) => {
    const [client, server] = await context.rawPair()
    client.disconnect()
    server.disconnect()
    await context.eventually('both to be closed', () => client.pollDisconnect() && server.pollDisconnect())
    assert.equal(client.error, undefined)
    assert.equal(server.error, undefined)
  })

  if (!settings.slow) return
  rule('a peer that never finishes is waited for 5 s, and then it is a clean end', async (context) => {
    const { client, server } = await context.pair()
    await client.send(1000)
    client.transport.disconnect()
    await server.receiveToEnd()
    await context.eventually('the client to close', () => client.transport.pollDisconnect())
    assert.equal(client.transport.error, undefined)
  })

  rule('a peer that goes on sending instead is waited for no longer', async (context) => {
    const { client, server } = await context.pair()
    await client.send(1000)
    client.transport.disconnect()
    await server.receiveToEnd()
    await context.eventually('the client to close', () => {
      if (!server.transport.pollDisconnect()) server.trySend(server.transport.maxSendSize)
      return client.transport.pollDisconnect()
    })
    assert.equal(client.transport.error, undefined)
  })

  rule(
    'a peer that takes nothing is given up after 5 s, with ERR_NETTS_TIMEOUT unless all of it is there for it to take',
    async (context) => {
      const { client, server } = await context.pair()
      await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
      client.transport.disconnect()
      await context.eventually('the client to give up', () => client.transport.pollDisconnect())
      const { error } = client.transport
      if (error) assertCode(error, 'ERR_NETTS_TIMEOUT')
      // Where the wire can say that something is missing, the end is clean at neither side, unless nothing is.
      if (error && !settings.capabilities.reset) return
      await server.ended()
      if (!error || server.transport.recvEnded) assert.equal(server.received, client.sent)
    },
  )
}
