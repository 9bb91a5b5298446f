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
})
