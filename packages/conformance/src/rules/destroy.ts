/** `destroy`: in any state and with any operation under way, and what the peer sees of it. */
import assert from 'node:assert/strict'
import { NettsError } from '@netts/core'
import { pause } from '../harness/deadline.js'
import type { HeldChunk } from '../harness/endpoint.js'
import { assertCode, assertThrows } from '../harness/expect.js'
import type { Area } from './area.js'

export const destroyRules: Area = (rule, settings) => {
  rule('destroy closes at once, with ERR_NETTS_DESTROYED or the error given', async (context) => {
    const [client, server] = await context.rawPair()
    const error = new NettsError('ERR_NETTS_PROTOCOL', 'made up')
    client.destroy()
    server.destroy(error)
    for (const transport of [client, server]) {
      assert.equal(transport.state, 'closed')
      assert.equal(transport.pollDisconnect(), true)
      assert.equal(transport.sendsInFlight, 0)
    }
    assertCode(client.error, 'ERR_NETTS_DESTROYED')
    assert.equal(server.error, error)
  })

  rule('destroy is idempotent: the first error stands', async (context) => {
    const [client] = await context.rawPair()
    const first = new NettsError('ERR_NETTS_PROTOCOL', 'first')
    client.destroy(first)
    client.destroy(new NettsError('ERR_NETTS_PROTOCOL', 'second'))
    client.finish()
    client.disconnect()
    await pause()
    assert.equal(client.error, first)
    assert.equal(client.state, 'closed')
  })

  rule('sends after destroy throw ERR_NETTS_INVALID_STATE', async (context) => {
    const [client] = await context.rawPair()
    const buffer = client.bufferPool.alloc(10)
    client.destroy()
    assertThrows(() => client.sendCopy(Uint8Array.of(1)), 'ERR_NETTS_INVALID_STATE')
    assertThrows(() => client.sendGather([Uint8Array.of(1)]), 'ERR_NETTS_INVALID_STATE')
    assertThrows(() => client.sendBuffer(buffer), 'ERR_NETTS_INVALID_STATE')
    buffer.release()
  })

  rule(
    'the peer of a destroyed idle transport learns it, as an error where the wire can say so',
    async (context) => {
      const { client, server } = await context.pair()
      await context.checkWorks({ client, server })
      client.transport.destroy()
      const error = await server.ended()
      if (settings.capabilities.reset) {
        assertCode(error, 'ERR_NETTS_RESET', 'ERR_NETTS_PEER_LOST')
        assert.equal(server.transport.recvEnded, false, 'a reset is not the end that finish says')
      } else if (error) {
        assertCode(error, 'ERR_NETTS_RESET', 'ERR_NETTS_PEER_LOST')
      }
    },
  )

  rule('a transport whose peer is gone refuses sends, and throws nothing', async (context) => {
    const { client, server } = await context.pair()
    client.transport.destroy()
    await server.ended()
    const buffer = server.transport.bufferPool.alloc(10)
    // Without a notice by the wire, only a send detects it.
    await context.eventually('the transport to fail', () => {
      const accepted = server.transport.sendCopy(Uint8Array.of(1))
      server.transport.pollSendCompletion()
      return accepted === 0 && server.transport.pollDisconnect()
    })
    assert.equal(server.transport.sendGather([Uint8Array.of(1)]), 0)
    assert.equal(server.transport.sendBuffer(buffer), false)
    buffer.release()
    assert.equal(server.transport.state, 'closed')
    assertCode(server.transport.error, 'ERR_NETTS_RESET', 'ERR_NETTS_PEER_LOST')
    assert.equal(server.transport.sendsInFlight, 0)
  })

  rule(
    'what the peer was handed before a destroy is a prefix of what was sent, and stays intact',
    async (context) => {
      const { client, server } = await context.pair()
      const bulk = 8 * server.transport.recvWindow
      const sending = client.send(bulk).catch(() => undefined)
      await server.receiveTo(server.transport.recvWindow)
      const held = await server.until('a chunk', () => {
        const chunks = server.take(2)
        return chunks.length > 0 ? chunks : undefined
      })
      client.transport.destroy()
      await server.ended()
      for (const chunk of held) server.release(chunk)
      await sending
    },
  )

  rule('destroy works in every state', async (context) => {
    for (const prepare of ['finish', 'disconnect', 'destroy'] as const) {
      const { client, server } = await context.pair()
      await client.send(1000)
      client.transport[prepare]()
      client.transport.destroy()
      assert.equal(client.transport.state, 'closed')
      assert.equal(client.transport.sendsInFlight, 0)
      await server.ended()
    }
  })

  rule('destroying with sends and chunks under way leaves nothing behind', async (context) => {
    for (let step = 0; step < 8; step++) {
      const { client, server } = await context.pair()
      for (let i = 0; i <= step; i++) {
        client.trySend(1000, 'sendBuffer')
        client.trySend(1000)
        server.trySend(1000, 'sendBuffer')
        if (i % 2 === 0) await pause(1)
      }
      server.take(1)
      const end = step % 2 === 0 ? client : server
      end.transport.destroy()
      await (end === client ? server : client).ended()
    }
  })

  // The remaining rules need a wire that reports a reset even while nothing is read.
  if (!settings.completionIsArrival) return

  rule('what had arrived before the peer destroyed its side stays readable', async (context) => {
    const { client, server } = await context.pair()
    const byteLength = Math.min(3000, server.transport.recvWindow)
    await client.send(byteLength)
    await client.completions()
    client.transport.destroy()
    await pause()
    await server.closed()
    assert.equal(server.received, byteLength)
  })

  rule('a reset is seen although the whole receive window is held', async (context) => {
    const { client, server } = await context.pair()
    const held: HeldChunk[] = []
    await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength, () => {
      held.push(...server.take())
    })
    client.transport.destroy()
    await server.until('the failure', () => {
      held.push(...server.take())
      return server.transport.pollDisconnect() || undefined
    })
    for (const chunk of held) server.release(chunk)
  })
}
