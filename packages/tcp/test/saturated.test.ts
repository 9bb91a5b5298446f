/** A process whose connections deliver all they can: what nobody polls is left with the kernel, and read afterwards. */
import { createConnection } from '@netts/core'
import { describe, expect, it } from 'vitest'
import { openPair, pattern, sendAll } from './support.js'

const MESSAGES = 300_000

describe('transports beside a saturated connection', () => {
  it('read on once it is over, although nothing of them was polled meanwhile', async () => {
    const busy = await openPair()
    const [sender, receiver] = [createConnection(busy.client), createConnection(busy.server)]
    const idle = await Promise.all([openPair(), openPair()])
    const data = pattern(512 * 1024)
    const sending = (async () => {
      const message = Buffer.alloc(64)
      for (let n = 0; n < MESSAGES; n++) if (!sender.trySend(message)) await sender.send(message)
      sender.finish()
    })()
    let received = 0
    let isFed = false
    for await (const _message of receiver) {
      received++
      if (isFed || received < MESSAGES / 10) continue
      isFed = true
      for (const { client } of idle) await sendAll(client, data)
    }
    await sending
    expect(received).toBe(MESSAGES)
    for (const { server } of idle) {
      const out = Array.from({ length: 64 }, () => ({ chunkIndex: 0, byteLength: 0 }))
      // The program polls without having been woken since: all of it has to be there in the end.
      const chunks: Buffer[] = []
      while (Buffer.concat(chunks).length < data.length) {
        const count = server.pollRecv(out)
        for (const { chunkIndex } of out.slice(0, count)) {
          chunks.push(Buffer.from(server.recvBuf(chunkIndex)))
          server.repostRecv(chunkIndex)
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(Buffer.concat(chunks).equals(data)).toBe(true)
    }
  })

  it('wait for its end with one look each turn, however often they were paused', async () => {
    const pairs = await Promise.all(Array.from({ length: 4 }, () => openPair()))
    const message = Buffer.alloc(64)
    let isOver = false
    const sending = pairs.map(async ({ client }) => {
      const sender = createConnection(client)
      while (!isOver) {
        for (let n = 0; n < 4096; n++) if (!sender.trySend(message)) await sender.send(message)
        await new Promise((resolve) => setImmediate(resolve))
      }
      sender.destroy()
    })
    let received = 0
    let mostLooks = 0
    const receiving = pairs.map(async ({ server }) => {
      for await (const _message of createConnection(server)) {
        if (++received % 4096 !== 0) continue
        const looks = process.getActiveResourcesInfo().filter((name) => name === 'Immediate').length
        mostLooks = Math.max(mostLooks, looks)
        isOver = received > 2 * MESSAGES
      }
    })
    await Promise.allSettled([...sending, ...receiving])
    expect(received).toBeGreaterThan(2 * MESSAGES)
    // One for each transport, for each sender of this test, and for the budget itself.
    expect(mostLooks).toBeLessThanOrEqual(2 * pairs.length + 2)
  })
})
