/** Sending by copy: sizes, order, completions, misuse. */
import assert from 'node:assert/strict'
import { meanwhile, pause } from '../harness/deadline.js'
import { assertThrows } from '../harness/expect.js'
import type { Area } from './area.js'

/** The sizes around the edges of one send, given its limit. */
export const sizesAround = (maxSendSize: number): readonly number[] => [
  1,
  2,
  maxSendSize - 1,
  maxSendSize,
  maxSendSize + 1,
  5 * maxSendSize + 3,
]

export const sendRules: Area = (rule, settings) => {
  for (const method of ['sendCopy', 'sendGather'] as const) {
    rule(`${method} delivers every size byte for byte`, async (context) => {
      const { client, server } = await context.pair()
      for (const byteLength of sizesAround(client.transport.maxSendSize)) {
        const target = client.sent + byteLength
        await Promise.all([client.send(byteLength, method), server.receiveTo(target)])
      }
      client.transport.finish()
      await server.receiveToEnd()
    })

    rule(`${method} takes no more than maxSendSize`, async (context) => {
      const { client, server } = await context.pair()
      const { maxSendSize } = client.transport
      await client.until('capacity', () => client.trySend(maxSendSize * 3, method) || undefined)
      assert.ok(client.sent <= maxSendSize)
      await server.receiveTo(client.sent)
    })

    rule(`${method} refuses empty data with ERR_NETTS_INVALID_ARGUMENT`, async (context) => {
      const { client } = await context.pair()
      const empty = new Uint8Array(0)
      const none: (Uint8Array | Uint8Array[])[] =
        method === 'sendCopy' ? [empty] : [[], [empty], [empty, empty]]
      for (const data of none) {
        assertThrows(() => client.transport[method](data as never), 'ERR_NETTS_INVALID_ARGUMENT')
      }
      assert.equal(client.transport.sendsInFlight, 0)
    })
  }

  rule('sendGather skips empty slices and keeps the order of the others', async (context) => {
    const { client, server } = await context.pair()
    const bytes = Array.from({ length: 40 }, (_, i) => i)
    const parts: Uint8Array[] = []
    for (let i = 0; i < 40; i += 4) parts.push(new Uint8Array(0), Uint8Array.from(bytes.slice(i, i + 4)))
    let sent = 0
    while (sent < 40) {
      sent += await client.until('capacity', () => {
        const rest = Buffer.concat(parts).subarray(sent)
        return client.transport.sendGather(sent === 0 ? parts : [rest]) || undefined
      })
    }
    const received: number[] = []
    const out = [{ chunkIndex: -1, byteLength: -1 }]
    while (received.length < 40) {
      await server.until('a chunk', () => server.transport.pollRecv(out) || undefined)
      received.push(...server.transport.recvBuf(out[0]!.chunkIndex))
      server.transport.repostRecv(out[0]!.chunkIndex)
    }
    assert.deepEqual(received, bytes)
  })

  rule("data is the caller's again once sendCopy returned", async (context) => {
    const { client, server } = await context.pair()
    const data = new Uint8Array(1000)
    const writing = meanwhile(
      (async () => {
        for (let i = 0; i < 20; i++) {
          await client.until('capacity', () => {
            data.fill(i)
            const accepted = client.transport.sendCopy(data)
            data.fill(0xee)
            return accepted || undefined
          })
        }
      })(),
    )
    const out = [{ chunkIndex: -1, byteLength: -1 }]
    for (let last = 0; last < 19; ) {
      await server.until('a chunk', () => server.transport.pollRecv(out) || undefined)
      for (const byte of server.transport.recvBuf(out[0]!.chunkIndex)) {
        assert.ok(byte === last || byte === last + 1, `received ${byte} after ${last}`)
        last = byte
      }
      server.transport.repostRecv(out[0]!.chunkIndex)
    }
    await writing
  })

  rule('many small sends arrive in order', async (context) => {
    const { client, server } = await context.pair()
    const writing = meanwhile(
      (async () => {
        for (let i = 0; i < 1000; i++) await client.send(1 + (i % 7))
        client.transport.finish()
      })(),
    )
    await Promise.all([writing, server.receiveToEnd()])
  })

  rule('both directions carry bulk data at the same time, byte for byte', async (context) => {
    const { client, server } = await context.pair()
    const bulk = settings.bulkByteLength
    await Promise.all([client.send(bulk), server.send(bulk), client.receiveTo(bulk), server.receiveTo(bulk)])
  })

  rule('each accepted send completes once', async (context) => {
    const { client, server } = await context.pair()
    for (let round = 0; round < 10; round++) {
      const reading = meanwhile(server.receiveTo(client.sent + 5000))
      for (let i = 0; i < 10; i++) await client.send(500)
      await Promise.all([client.completions(), reading])
      assert.equal(client.guard.completed, client.guard.accepted)
      await pause(1)
      assert.equal(client.transport.pollSendCompletion(), 0, 'completions after all were reported')
    }
  })

  rule('a writer that never asks for completions is not held up', async (context) => {
    const { client, server } = await context.pair()
    const total = Math.min(2000 * 1024, settings.bulkByteLength / 2)
    const writing = meanwhile(
      (async () => {
        while (client.sent < total) await client.send(Math.min(1024, total - client.sent))
      })(),
    )
    await Promise.all([writing, server.receiveTo(total)])
    assert.equal(client.guard.completed, 0)
    await client.completions()
  })
}
