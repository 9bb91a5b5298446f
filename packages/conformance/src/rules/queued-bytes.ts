/** `queuedBytes`: bytes that the wire has not taken yet. Deadlines use it to see whether the peer takes any. */
import assert from 'node:assert/strict'
import type { Area } from './area.js'

export const queuedBytesRules: Area = (rule, settings) => {
  rule('queuedBytes says what was accepted and not taken, and falls to 0', async (context) => {
    const { client, server } = await context.pair()
    const { transport } = client
    assert.equal(transport.queuedBytes, 0)
    if (settings.creditBased) {
      // Read in the same turn: the wire takes the bytes in a later one.
      const accepted = client.trySend(300)
      assert.ok(accepted > 0)
      assert.equal(transport.queuedBytes, accepted)
    } else {
      await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
      const stuck = transport.queuedBytes
      assert.ok(
        stuck > 0 && stuck <= client.sent,
        `queuedBytes ${stuck} of ${client.sent} sent, and nobody reads`,
      )
      const waiting = await context.within(
        'unacknowledgedBytes',
        Promise.resolve(transport.unacknowledgedBytes()),
      )
      assert.ok(
        waiting >= stuck && waiting <= client.sent,
        `unacknowledgedBytes ${waiting}, queuedBytes ${stuck}, sent ${client.sent}`,
      )
    }
    await server.receiveTo(client.sent)
    await client.completions()
    assert.equal(transport.queuedBytes, 0)
    await context.eventually('unacknowledgedBytes to reach 0', async () => {
      return (await transport.unacknowledgedBytes()) === 0
    })
  })

  rule('queuedBytes is 0 once closed', async (context) => {
    const { client, server } = await context.pair()
    if (settings.creditBased) client.trySend(300)
    else await client.sendUntilStuck(server.transport.recvWindow + settings.bufferedByteLength)
    assert.ok(client.transport.queuedBytes > 0)
    client.transport.destroy()
    assert.equal(client.transport.queuedBytes, 0)
    await server.ended()
  })
}
