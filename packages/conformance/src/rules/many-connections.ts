/** Hundreds of connections at once. */
import assert from 'node:assert/strict'
import type { Transport } from '@netts/core'
import type { Pair } from '../harness/context.js'
import type { Area } from './area.js'

export const manyConnectionsRules: Area = (rule, settings) => {
  rule('many connections at the same time keep their bytes apart', async (context) => {
    const listener = await context.listen()
    const pairs: Pair[] = []
    // One after the other, so that it is known which client each accepted end belongs to.
    for (let i = 0; i < settings.connections; i++) pairs.push(await context.pair(listener))
    await Promise.all(pairs.map((pair, i) => context.checkWorks(pair, 1 + ((i * 997) % 10_000))))
    await Promise.all(
      pairs.map(async ({ client, server }) => {
        client.transport.finish()
        await server.receiveToEnd()
        server.transport.finish()
        assert.equal(await client.closed(), undefined)
      }),
    )
  })

  rule('many clients connecting at the same time are all accepted', async (context) => {
    const listener = await context.listen()
    const attempts = Array.from({ length: settings.connections }, () => context.connect(listener.address))
    const accepts = Array.from({ length: settings.connections }, () => context.accept(listener))
    const [clients, servers] = await Promise.all([Promise.all(attempts), Promise.all(accepts)])
    const close = async (transport: Transport) => {
      transport.disconnect()
      await context.eventually('a transport to be closed', () => transport.pollDisconnect())
      assert.equal(transport.error, undefined)
    }
    await Promise.all([...clients, ...servers].map(close))
  })
}
