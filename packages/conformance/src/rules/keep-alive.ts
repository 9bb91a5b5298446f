/** `ref` and `unref`. The driver itself must test whether the process exits: a test runner keeps its process alive. */
import assert from 'node:assert/strict'
import type { Area } from './area.js'

export const keepAliveRules: Area = (rule) => {
  rule(
    'ref and unref may be called in every state, any number of times, and change nothing else',
    async (context) => {
      const listener = await context.listen()
      for (const each of [listener.unref, listener.unref, listener.ref]) each.call(listener)
      const pair = await context.pair(listener)
      const { client, server } = pair
      const both = () => {
        for (const { transport } of [client, server]) {
          transport.unref()
          transport.unref()
          transport.ref()
          transport.unref()
        }
      }
      both()
      await context.checkWorks(pair)
      client.transport.finish()
      both()
      await server.receiveToEnd()
      server.transport.disconnect()
      both()
      assert.equal(await client.closed(), undefined)
      assert.equal(await server.closed(), undefined)
      both()
      const destroyed = await context.pair(listener)
      destroyed.client.transport.destroy()
      destroyed.client.transport.ref()
      destroyed.client.transport.unref()
      await listener.close()
      listener.ref()
      listener.unref()
    },
  )
}
