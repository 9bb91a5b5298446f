/** The memory of sent and received messages: who owns it, and what happens when it is detached or exhausted. */
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
      // Behind other pending messages, no byte of this message has been sent; alone, some bytes have been.
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
        // If the connection is still open, the reader receives the next message.
        if (client.state === 'open') await client.send(message(before + 1, 10))
      }
      const received = await context.within('the reader to learn of it', next)
      if (Buffer.isBuffer(received)) checkMessage(received, outcome === 'accepted' ? before : before + 1)
      else {
        assertCode(
          await context.within('the connection to be closed', client.closed),
          'ERR_NETTS_BUFFER_DETACHED',
        )
        // Between two messages, a wire without resets reports a clean end.
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

/** Sends pooled buffers until no more are accepted or the pool is exhausted. Refused buffers stay in `held`. */
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
      // The pool is exhausted, as intended.
      if (!isNettsError(error) || error.code !== 'ERR_NETTS_POOL_EXHAUSTED') throw error
    }
    quiet++
    await pause(1)
  }
}
