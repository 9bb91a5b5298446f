/** Memory that messages leave from and arrive in: whose it is, and what happens when it goes away or runs out. */
import assert from 'node:assert/strict'
import { type Connection, isNettsError, type PooledBuffer } from '@netts/core'
import { meanwhile, pause } from '../harness/deadline.js'
import { assertCode, assertThrows } from '../harness/expect.js'
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

const STUCK = 40

export const connectionMemoryRules: Area = (rule, settings) => {
  rule(
    'disposing of a buffer that was sent, or of a lease that was released, does nothing',
    async (context) => {
      const [client, server] = await connected(context)
      const buffer = client.alloc(100)
      buffer.bytes.set(message(0, 100))
      await client.send(buffer)
      buffer[Symbol.dispose]()
      assertThrows(() => buffer.release(), 'ERR_NETTS_BUFFER_RELEASED')
      const lease = await context.within('a lease', server.recvLease())
      assert.ok(lease)
      checkMessage(lease.bytes, 0)
      lease.release()
      lease[Symbol.dispose]()
      assertThrows(() => lease.release(), 'ERR_NETTS_BUFFER_RELEASED')
      await Promise.all([client.send(message(1, 100)), checkReceived(server, 1, 100)])
    },
  )

  rule('memory that goes away while its send waits is an error, never other bytes', async (context) => {
    for (const isBehind of [false, true]) {
      const [client, server] = await connected(context, { maxMessageSize: 2 ** 30 })
      const size = copiedByteLength(client)
      // Behind others nothing of it has left; alone, some of it has.
      let before = 0
      if (isBehind) before = (await sendUntilPending(context, client, size)).accepted + 1
      const data = Uint8Array.from(message(before, mostAccepted(client, settings)))
      let outcome: unknown = 'pending'
      const sending = client.send(data).then(
        () => {
          outcome = 'accepted'
        },
        (error: unknown) => {
          outcome = error
        },
      )
      await pause(5)
      structuredClone(data.buffer, { transfer: [data.buffer] })
      for (let i = 0; i < before; i++) await context.within('a message', checkReceived(server, i, size))
      const next = meanwhile(server.recv().catch((error: unknown) => error))
      await context.within('the send to settle', sending)
      if (outcome !== 'accepted') {
        assertCode(outcome, 'ERR_NETTS_BUFFER_DETACHED')
        if (isBehind) assert.equal(client.state, 'open', 'nothing of the message has left')
        // Should the connection go on, so does the reader.
        if (client.state === 'open') await client.send(message(before + 1, 10))
      }
      const received = await context.within('the reader to learn of it', next)
      if (Buffer.isBuffer(received)) checkMessage(received, outcome === 'accepted' ? before : before + 1)
      else {
        assertCode(
          await context.within('the connection to be closed', client.closed),
          'ERR_NETTS_BUFFER_DETACHED',
        )
        // At the border of a message, a wire that can't say it shows an end.
        if (received !== undefined || settings.capabilities.reset) {
          assertCode(received, 'ERR_NETTS_RESET', 'ERR_NETTS_PEER_LOST', 'ERR_NETTS_TRUNCATED')
        }
      }
      client.destroy()
    }
  })

  rule('many connections whose peers do not read leave another one its memory', async (context) => {
    const listener = await context.listen()
    const held: PooledBuffer[] = []
    for (let i = 0; i < Math.min(STUCK, settings.connections); i++) {
      const [stuck] = await connected(context, {}, listener)
      await fill(stuck, held)
    }
    const [client, server] = await connected(context, {}, listener)
    const size = Math.min(1000, copiedByteLength(client) - 4)
    for (let i = 0; i < 10; i++) {
      const buffer = client.alloc(size)
      buffer.bytes.set(message(i, size))
      await context.within('a message', Promise.all([client.send(buffer), checkReceived(server, i, size)]))
    }
    await context.within(
      'a copied message',
      Promise.all([client.send(message(7, 50_000)), checkReceived(server, 7, 50_000)]),
    )
    for (const buffer of held) buffer.release()
  })
}

/** Sends from pooled buffers until nothing is accepted any more, and keeps as many as there are. */
async function fill(connection: Connection, held: PooledBuffer[]): Promise<void> {
  const size = copiedByteLength(connection) - 4
  for (let quiet = 0; quiet < 3; ) {
    try {
      const buffer = connection.alloc(size)
      if (connection.trySend(buffer)) {
        quiet = 0
        continue
      }
      held.push(buffer)
    } catch (error) {
      // There is no more: that is what this is about.
      if (!isNettsError(error) || error.code !== 'ERR_NETTS_POOL_EXHAUSTED') throw error
    }
    quiet++
    await pause(1)
  }
}
