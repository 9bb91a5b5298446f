/** How connections over the driver end, and what each side observes. */
import assert from 'node:assert/strict'
import { listen } from '@netts/core'
import { meanwhile, pause } from '../harness/deadline.js'
import { checkReceived, connected, message } from '../harness/messages.js'
import type { Area } from './area.js'

/** No timeout: a connection that waits for its peer to close fails the test by its deadline. */
const FOREVER = { closeTimeoutMs: 0 }

export const connectionEndingRules: Area = (rule) => {
  rule('a side that only sends learns that its peer has finished, and may send on', async (context) => {
    const [client, server] = await connected(context)
    let hasEnded = false
    const ended = client.peerEnded.then(() => {
      hasEnded = true
    })
    await Promise.all([client.send(message(0, 100)), checkReceived(server, 0, 100)])
    assert.equal(hasEnded, false)
    server.finish()
    await context.within('peerEnded', ended)
    assert.equal(client.state, 'open')
    await Promise.all([client.send(message(1, 100)), checkReceived(server, 1, 100)])
    client.destroy()
    await context.within('peerEnded of the other side', server.peerEnded)
  })

  rule('two sides that close one after the other, as await using does, wait for nobody', async (context) => {
    const [client, server] = await connected(context, FOREVER)
    await client.send(message(0, 3000))
    await context.within('the first close', client.close())
    await context.within('a message', checkReceived(server, 0, 3000))
    assert.equal(await context.within('the end', server.recv()), undefined)
    await context.within('the second close', server.close())
    assert.deepEqual([await client.closed, await server.closed], [undefined, undefined])
    for (const { state, queuedBytes } of [client, server])
      assert.deepEqual([state, queuedBytes], ['closed', 0])
  })

  rule('what a close delivered is still there although its reader sends before it reads', async (context) => {
    const [client, server] = await connected(context, FOREVER)
    await client.send(message(0, 500))
    await context.within('the close', client.close())
    await server.send(message(9, 500))
    await pause()
    await context.within('a message', checkReceived(server, 0, 500))
    assert.equal(await context.within('the end', server.recv()), undefined)
  })

  rule(
    'a listener that drains waits for its connections, or closes them at the deadline',
    async (context) => {
      for (const deadlineMs of [undefined, 0, 20]) {
        const listener = await listen(context.listenBuilder, context.fixture.listenAddress(), FOREVER)
        const client = await context.connect(listener.address)
        const accepted = await context.within('accept', listener.accept())
        assert.ok(accepted)
        context.ownConnection(accepted)
        assert.deepEqual([...listener.connections], [accepted])
        let isDrained = false
        const closing = meanwhile(
          listener.close({ drain: true, deadlineMs }).then(() => {
            isDrained = true
          }),
        )
        await pause()
        if (deadlineMs === undefined) {
          assert.equal(isDrained, false)
          client.disconnect({ timeoutMs: 0 })
          assert.equal(await context.within('the end', accepted.recv()), undefined)
          await accepted.close()
        }
        await context.within('the listener to be drained', closing)
        assert.equal(accepted.state, 'closed')
        assert.equal(await accepted.closed, undefined)
        assert.equal(listener.connections.size, 0)
      }
    },
  )
}
