/** Bytes that arrived and were not polled: they are discarded when this side ends, and kept when the peer ends. */
import assert from 'node:assert/strict'
import { pause } from '../harness/deadline.js'
import { completions } from '../harness/endpoint.js'
import type { Area } from './area.js'

export const unpolledRules: Area = (rule) => {
  for (const how of ['disconnect', 'destroy'] as const) {
    rule(
      `this side's own ${how} discards what was not polled; what was handed out stays readable`,
      async (context) => {
        const { client, server } = await context.pair()
        await client.send(100)
        const held = await server.until('a chunk', () => {
          const chunks = server.take(1)
          return chunks.length > 0 ? chunks : undefined
        })
        client.trySend(200)
        await pause()
        server.transport[how]()
        const out = completions(4)
        assert.equal(server.transport.pollRecv(out), 0)
        // Bytes that arrive later are discarded too.
        if (client.transport.state === 'open') client.trySend(100)
        await pause()
        assert.equal(server.transport.pollRecv(out), 0)
        for (const chunk of held) server.release(chunk)
        await client.ended()
      },
    )
  }

  rule(
    'what arrived before both sides had ended cleanly stays readable, and then comes the end',
    async (context) => {
      const { client, server } = await context.pair()
      await client.send(Math.min(3000, server.transport.recvWindow))
      client.transport.disconnect()
      server.transport.finish()
      await context.eventually('the server to be closed', () => server.transport.pollDisconnect())
      assert.equal(server.transport.error, undefined)
      assert.equal(server.transport.recvEnded, false)
      await server.receiveToEnd()
      assert.equal(server.received, client.sent)
    },
  )
}
