/** Messages over the driver: what an application relies on with every wire. */
import assert from 'node:assert/strict'
import type { Connection } from '@netts/core'
import { meanwhile, pause } from '../harness/deadline.js'
import { assertCode, assertRejects } from '../harness/expect.js'
import {
  checkMessage,
  checkReceived,
  connected,
  copiedByteLength,
  message,
  sendUntilPending,
} from '../harness/messages.js'
import { Random } from '../harness/random.js'
import type { Area } from './area.js'
import { sizesAround } from './send.js'

export const connectionRules: Area = (rule, settings) => {
  rule('messages of every size arrive whole, in order, in both directions', async (context) => {
    const [client, server] = await connected(context)
    const sizes = [0, ...sizesAround(client.transport.maxSendSize), 0, settings.bulkByteLength / 4]
    const talk = async (from: Connection, to: Connection) => {
      const sending = meanwhile(
        (async () => {
          for (const [i, size] of sizes.entries()) await from.send(message(i, size))
          from.finish()
        })(),
      )
      for (const [i, size] of sizes.entries()) await checkReceived(to, i, size)
      assert.equal(await to.recv(), undefined)
      await sending
    }
    await context.within('both talks', Promise.all([talk(client, server), talk(server, client)]))
    assert.deepEqual(await context.within('both to be closed', Promise.all([client.closed, server.closed])), [
      undefined,
      undefined,
    ])
  })

  rule('any number of concurrent sends and receives keep their order', async (context) => {
    const [client, server] = await connected(context)
    const random = new Random(settings.seed)
    const sizes = Array.from({ length: 300 }, () => random.integer(0, 3000))
    const receiving = sizes.map((size, i) => checkReceived(server, i, size))
    const sending = sizes.map((size, i) => client.send(message(i, size)))
    await context.within('everything', Promise.all([...sending, ...receiving]))
  })

  rule('a message in a pooled buffer arrives, and the buffer returns to its pool', async (context) => {
    const [client, server] = await connected(context)
    const byteLength = Math.min(1000, client.transport.maxSendSize - 4)
    for (let i = 0; i < 20; i++) {
      const buffer = client.alloc(byteLength)
      buffer.bytes.set(message(i, byteLength))
      await Promise.all([client.send(buffer), checkReceived(server, i, byteLength)])
    }
    await context.within('flush', client.flush())
    assert.equal(client.transport.bufferPool.stats.outstanding, 0)
  })

  rule('a lease shows the message in place until it is released', async (context) => {
    const [client, server] = await connected(context)
    const sizes = [1, 500, 3 * client.transport.maxSendSize, 0, 70]
    const sending = meanwhile(Promise.all(sizes.map((size, i) => client.send(message(i, size)))))
    for (const [i, size] of sizes.entries()) {
      const lease = await context.within('a lease', server.recvLease())
      assert.ok(lease)
      assert.equal(lease.byteLength, size)
      checkMessage(lease.bytes, i)
      lease.release()
    }
    await sending
  })

  rule('alternating sends and receives within recvWindow never stall', async (context) => {
    // A small highWaterMark, so that the receive window is the limit.
    const [client, server] = await connected(context, { highWaterMark: 1024 })
    const size = Math.floor(Math.min(client.transport.recvWindow, server.transport.recvWindow) / 8) - 4
    const both = [client, server]
    for (let round = 0; round < 10; round++) {
      const indices = [0, 1, 2, 3].map((i) => round * 4 + i)
      const sends = both.flatMap((from) => indices.map((i) => from.send(message(i, size))))
      await context.within('the sends of both', Promise.all(sends))
      const receives = both.flatMap((to) => indices.map((i) => checkReceived(to, i, size)))
      await context.within('the messages of both', Promise.all(receives))
    }
  })

  rule(
    'beyond it both sends stay pending, timers fire, and receiving on one side frees the other',
    async (context) => {
      const [client, server] = await connected(context)
      const size = copiedByteLength(client)
      const [ofClient, ofServer] = await Promise.all([
        sendUntilPending(context, client, size),
        sendUntilPending(context, server, size),
      ])
      await context.within('a timer', pause(10))
      let received = 0
      const receiving = meanwhile(
        (async () => {
          while (received <= ofServer.accepted) await checkReceived(client, received++, size)
        })(),
      )
      await context.within('the server to send', ofServer.pending)
      await context.within('its messages', receiving)
      for (let i = 0; i <= ofClient.accepted; i++) {
        await context.within('the messages of the client', checkReceived(server, i, size))
      }
      await ofClient.pending
    },
  )

  rule('aborting a send that waits sends nothing of it', async (context) => {
    const [client, server] = await connected(context)
    const size = copiedByteLength(client)
    const { pending, accepted } = await sendUntilPending(context, client, size)
    const controller = new AbortController()
    const aborted = meanwhile(client.send(message(0, 777), { signal: controller.signal }))
    const after = meanwhile(client.send(message(accepted + 1, 33)))
    controller.abort()
    await assertRejects(context.within('the aborted send', aborted), 'ERR_NETTS_ABORTED')
    for (let i = 0; i <= accepted; i++) await context.within('a message', checkReceived(server, i, size))
    await context.within('the message behind', checkReceived(server, accepted + 1, 33))
    await Promise.all([pending, after])
  })

  rule('cancelling a recv loses no message', async (context) => {
    const [client, server] = await connected(context)
    for (let i = 0; i < 10; i++) {
      const controller = new AbortController()
      const cancelled = meanwhile(server.recv({ signal: controller.signal }))
      const next = meanwhile(checkReceived(server, i, 100))
      controller.abort()
      await assertRejects(context.within('the cancelled recv', cancelled), 'ERR_NETTS_ABORTED')
      await client.send(message(i, 100))
      await context.within('the message', next)
    }
  })

  rule('everything sent before a close is delivered before the end', async (context) => {
    const [client, server] = await connected(context)
    const sending = meanwhile(
      (async () => {
        for (let i = 0; i < 50; i++) await client.send(message(i, 5000))
        await client.close()
      })(),
    )
    let received = 0
    for await (const data of server) {
      assert.equal(data.byteLength, 5000)
      checkMessage(data, received++)
    }
    assert.equal(received, 50)
    await context.within('both to be closed', Promise.all([server.close(), sending]))
    assert.deepEqual(await Promise.all([client.closed, server.closed]), [undefined, undefined])
  })

  rule('sends and receives pending at a destroy reject, each once', async (context) => {
    const [client, server] = await connected(context)
    const { pending } = await sendUntilPending(context, client, copiedByteLength(client))
    const receiving = meanwhile(client.recv())
    client.destroy()
    await assertRejects(context.within('the send', pending), 'ERR_NETTS_DESTROYED')
    await assertRejects(context.within('the recv', receiving), 'ERR_NETTS_DESTROYED')
    assertCode(await context.within('closed', client.closed), 'ERR_NETTS_DESTROYED')
    server.destroy()
  })

  rule('a peer that is destroyed in mid-message is an error, never a short message', async (context) => {
    const [client, server] = await connected(context)
    const size = 4 * 2 ** 20
    client.send(message(0, size)).catch(() => {})
    const receiving = meanwhile(server.recv())
    await pause(2)
    client.destroy()
    const outcome = await context.within(
      'the recv to settle',
      receiving.catch((error: unknown) => error),
    )
    // The message may have arrived completely before the destroy.
    if (Buffer.isBuffer(outcome)) assert.equal(outcome.byteLength, size)
    else if (outcome) assertCode(outcome, 'ERR_NETTS_RESET', 'ERR_NETTS_PEER_LOST', 'ERR_NETTS_TRUNCATED')
    else assert.equal(server.stats.bytesReceived, 0)
  })
}
