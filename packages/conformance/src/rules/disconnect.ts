/**
 * Closing gracefully: what was accepted arrives, then the end; that is done when the wire took it, and both ends close
 * without an error.
 */
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
      far.transport.finish()
      assert.equal(await near.closed(), undefined)
      assert.equal(await far.closed(), undefined)
    })
  }

  rule('a slow reader still gets everything that was accepted before a disconnect', async (context) => {
    const { client, server } = await context.pair()
    await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
    client.transport.disconnect()
    if (settings.creditBased) {
      assert.equal(await client.closed(), undefined)
    } else {
      await pause()
      assert.equal(client.transport.state, 'disconnecting')
      assert.equal(client.transport.pollDisconnect(), false)
    }
    await server.receiveToEnd()
    server.transport.disconnect()
    assert.equal(await client.closed(), undefined)
    assert.equal(await server.closed(), undefined)
  })

  // Without a timeout, so that a driver that waits for the peer fails the test by its deadline.
  const forever = { timeoutMs: 0 }

  rule(
    'two ends that disconnect one after the other both close, neither waiting for the other',
    async (context) => {
      const { client, server } = await context.pair()
      const byteLength = Math.min(3000, server.transport.recvWindow)
      await client.send(byteLength)
      client.transport.disconnect(forever)
      assert.equal(await client.closed(), undefined)
      await server.receiveToEnd()
      server.transport.disconnect(forever)
      assert.equal(await server.closed(), undefined)
    },
  )

  rule(
    'a disconnect is done although the peer never finishes, and what it sends late costs it nothing',
    async (context) => {
      const { client, server } = await context.pair()
      await client.send(Math.min(3000, server.transport.recvWindow))
      client.transport.disconnect(forever)
      assert.equal(await client.closed(), undefined)
      // The server has not read the client's bytes yet; a reset would discard them.
      for (let i = 0; i < 5; i++) {
        await server.send(500)
        await pause(5)
      }
      await server.receiveToEnd()
      assert.equal(server.transport.error, undefined)
      server.transport.disconnect(forever)
      assert.equal(await server.closed(), undefined)
    },
  )

  rule('disconnecting discards what the peer still sends, however much', async (context) => {
    const { client, server } = await context.pair()
    await server.send(1000)
    client.transport.disconnect(forever)
    await server.receiveToEnd()
    await server.send(4 * client.transport.recvWindow + settings.bulkByteLength / 4)
    server.transport.finish()
    assert.equal(await client.closed(), undefined)
    assert.equal(await server.closed(), undefined)
    assert.equal(client.received, 0)
  })

  if (!settings.creditBased) {
    rule('a peer that takes nothing for timeoutMs is given up with ERR_NETTS_TIMEOUT', async (context) => {
      const { client, server } = await context.pair()
      await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
      client.transport.disconnect({ timeoutMs: settings.shortMs })
      // A second call does not change the timeout of the first.
      client.transport.disconnect(forever)
      await context.eventually('the client to give up', () => client.transport.pollDisconnect())
      assertCode(client.transport.error, 'ERR_NETTS_TIMEOUT')
      const error = await server.ended()
      // A wire with resets must report that bytes are missing.
      if (settings.capabilities.reset) assertCode(error, 'ERR_NETTS_RESET', 'ERR_NETTS_PEER_LOST')
    })
  }

  rule('a peer that reads slowly is not given up: any progress begins timeoutMs anew', async (context) => {
    const { client, server } = await context.pair()
    await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
    client.transport.disconnect({ timeoutMs: 10 * settings.shortMs })
    const step = Math.ceil(client.sent / 16)
    while (server.received < client.sent) {
      await pause(2 * settings.shortMs)
      for (const target = server.received + step; server.received < Math.min(client.sent, target); ) {
        await server.until('a chunk', () => {
          const [chunk] = server.take(1)
          if (chunk) server.release(chunk)
          return chunk && true
        })
      }
    }
    await server.receiveToEnd()
    server.transport.disconnect()
    assert.equal(await client.closed(), undefined)
    assert.equal(await server.closed(), undefined)
  })

  rule('options of disconnect out of range are refused with ERR_NETTS_INVALID_ARGUMENT', async (context) => {
    const { client, server } = await context.pair()
    for (const options of [{ timeoutMs: -1 }, { timeoutMs: 0.5 }, { timeoutMs: 2 ** 31 }, { timeout: 1 }]) {
      assertThrows(() => client.transport.disconnect(options), 'ERR_NETTS_INVALID_ARGUMENT')
    }
    assert.equal(client.transport.state, 'open')
    await context.checkWorks({ client, server })
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

  if (!settings.slow || settings.creditBased) return
  rule('a peer that takes nothing is given up after 5 s unless told otherwise', async (context) => {
    const { client, server } = await context.pair()
    await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
    client.transport.disconnect()
    await context.eventually('the client to give up', () => client.transport.pollDisconnect())
    assertCode(client.transport.error, 'ERR_NETTS_TIMEOUT')
  })
}
