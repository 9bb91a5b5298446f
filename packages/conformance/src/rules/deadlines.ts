/** Deadlines for a silent peer: after a busy period, the input that has arrived is read before a deadline takes effect. */
import assert from 'node:assert/strict'
import { createConnection } from '@netts/core'
import type { Context } from '../harness/context.js'
import { block, meanwhile, pause, turn } from '../harness/deadline.js'
import {
  checkMessage,
  checkReceived,
  connected,
  copiedByteLength,
  message,
  mostAccepted,
  sendUntilPending,
} from '../harness/messages.js'
import type { Area } from './area.js'

/** Blocks the event loop for longer than any deadline of these rules and the driver's keepalive. */
function beBusy(context: Context): void {
  block(Math.max(3 * context.settings.shortMs, 2 * (context.fixture.keepaliveMs ?? 0)))
}

export const deadlineRules: Area = (rule, settings) => {
  const { shortMs } = settings

  rule('a busy program loses no connection, idle or not', async (context) => {
    const pair = await context.pair()
    for (let i = 0; i < 2; i++) {
      const [toServer, toClient] = [pair.client.sent + 500, pair.server.sent + 500]
      await Promise.all([pair.client.send(500), pair.server.send(500)])
      beBusy(context)
      await Promise.all([pair.server.receiveTo(toServer), pair.client.receiveTo(toClient)])
      beBusy(context)
    }
    await turn()
    await context.checkWorks(pair)
  })

  rule('a busy program does not time out a message whose rest has arrived', async (context) => {
    const [client, raw] = await context.rawPair()
    const server = context.ownConnection(createConnection(raw, { messageTimeoutMs: 2 * shortMs }))
    const payload = message(1, 700)
    const framed = Buffer.alloc(4 + payload.byteLength)
    framed.writeUInt32BE(payload.byteLength)
    framed.set(payload, 4)
    const receiving = meanwhile(server.recv())
    for (let from = 0; from < framed.byteLength; ) {
      const piece = framed.subarray(from, from + 200)
      // If the wire refuses the piece, try again after 1 ms: a longer pause could exceed the deadline.
      const accepted = client.sendCopy(piece)
      from += accepted
      if (accepted === 0) {
        assert.equal(client.pollDisconnect(), false, `closed after ${from} bytes: ${client.error?.message}`)
        await pause(1)
        continue
      }
      // Let the first pieces arrive, so that the message's timer runs while the program is busy. Some wires take a few
      // turns of the event loop.
      if (from < 500) await pause(5)
      beBusy(context)
    }
    const received = await context.within('the message', receiving)
    assert.ok(received)
    checkMessage(received, 1)
  })

  rule('a busy program does not time out a close, or a disconnect, that goes on', async (context) => {
    const listener = await context.listen()
    const { client, server } = await context.pair(listener)
    await client.send(Math.min(5000, server.transport.recvWindow))
    client.transport.disconnect({ timeoutMs: shortMs })
    beBusy(context)
    await server.receiveToEnd()
    assert.equal(await client.closed(), undefined)

    const [near, far] = await connected(context, { closeTimeoutMs: shortMs }, listener)
    const size = copiedByteLength(near)
    const { pending, accepted } = await sendUntilPending(context, near, size)
    const closing = meanwhile(near.close())
    for (let i = 0; i < accepted; i++) {
      if (i % Math.ceil(accepted / 4) === 0) beBusy(context)
      await context.within('a message', checkReceived(far, i, size))
    }
    await context.within('the close', closing)
    assert.equal(await near.closed, undefined)
    await Promise.allSettled([pending])
  })

  rule('a slow reader loses no message, whatever waits here', async (context) => {
    const [client, server] = await connected(context, { messageTimeoutMs: shortMs, highWaterMark: 1024 })
    const size = Math.max(1500, Math.floor(server.transport.recvWindow / 3))
    const sending = meanwhile(
      (async () => {
        for (let i = 0; i < 6; i++) await client.send(message(i, size))
        client.finish()
      })(),
    )
    for (let i = 0; i < 6; i++) {
      await context.within('a message', checkReceived(server, i, size))
      await pause(2 * shortMs)
    }
    assert.equal(await context.within('the end', server.recv()), undefined)
    await context.within('the sends', sending)
  })

  rule(
    'a peer that takes nothing for stallTimeoutMs ends the connection; an idle one does not',
    async (context) => {
      const listener = await context.listen()
      const options = { stallTimeoutMs: shortMs }
      const idle = await connected(context, options, listener)
      // It was busy before: what was to be sent has all been taken.
      await Promise.all([idle[0].send(message(0, 10)), checkReceived(idle[1], 0, 10)])
      const [client] = await connected(context, options, listener)
      const operations: Promise<unknown>[] = []
      for (
        let i = 0;
        i * copiedByteLength(client) <= mostAccepted(client, settings) && client.state === 'open';
        i++
      ) {
        operations.push(meanwhile(client.send(message(i, copiedByteLength(client)))))
        if (i % 16 === 0) await turn()
      }
      const error = await context.within('the stalled connection to be closed', client.closed)
      assert.equal(error?.code, 'ERR_NETTS_TIMEOUT')
      await context.within('its sends to settle', Promise.allSettled(operations))
      await Promise.all([idle[0].send(message(1, 10)), checkReceived(idle[1], 1, 10)])
    },
  )
}
