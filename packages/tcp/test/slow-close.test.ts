/** Closing towards a peer that reads slowly, and what a reader with a backlog sees of a reset. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, connect, listen } from '@netts/core'
import { expect, it, onTestFinished } from 'vitest'
import { tcp } from '../src/index.js'

const SIZE = 60_000

async function pair(options = {}): Promise<[Connection, Connection]> {
  const server = await listen(tcp(), { host: '127.0.0.1', port: 0 }, options)
  const client = await connect(tcp(), server.address, options)
  const accepted = (await server.accept())!
  onTestFinished(async () => {
    client.destroy()
    accepted.destroy()
    await server.close()
  })
  return [client, accepted]
}

/** Sends without waiting until nothing more is taken for a while. @returns how many messages that were */
async function fill(connection: Connection): Promise<number> {
  let sent = 0
  for (let quiet = 0; quiet < 5; ) {
    const message = Buffer.alloc(SIZE, sent)
    if (connection.trySend(message)) {
      sent++
      quiet = 0
    } else {
      quiet++
      await sleep(20)
    }
  }
  return sent
}

it.runIf(process.platform === 'linux')(
  'close waits for a peer that goes on reading, however slowly the kernel says so',
  async () => {
    const [client, accepted] = await pair({ closeTimeoutMs: 400 })
    const sent = await fill(client)
    const closing = client.close()
    for (let n = 0; n < sent; n++) {
      // Jumps of the kernel's queue are some MiB apart: several times the deadline.
      await sleep(20)
      const message = await accepted.recv()
      expect(message?.byteLength).toBe(SIZE)
      expect(message?.[SIZE - 1]).toBe(n & 0xff)
    }
    expect(await accepted.recv()).toBe(undefined)
    await closing
    expect(await client.closed).toBe(undefined)
  },
)

it.runIf(process.platform === 'linux')(
  'a stall deadline sees every read of the peer, however slowly the kernel says so',
  async () => {
    const [client, accepted] = await pair({ stallTimeoutMs: 400 })
    const sent = await fill(client)
    const sending = client.send(Buffer.alloc(SIZE))
    for (let n = 0; n < sent + 1; n++) {
      await sleep(20)
      expect((await accepted.recv())?.byteLength).toBe(SIZE)
    }
    await sending
    expect(client.state).toBe('open')
  },
)

it.runIf(process.platform === 'linux').each([0, 1, 7])(
  'a reader with a backlog sees a reset as one, with %i messages taken before',
  async (taken) => {
    const [client, accepted] = await pair()
    await fill(client)
    for (let n = 0; n < taken; n++) await accepted.recv()
    client.destroy()
    await sleep(50)
    let error: unknown
    try {
      while ((await accepted.recv()) !== undefined);
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'ERR_NETTS_RESET' })
  },
)

it.runIf(process.platform === 'linux')(
  'a reset between messages is one too, for a reader that lags',
  async () => {
    for (let round = 0; round < 20; round++) {
      const [client, accepted] = await pair({ highWaterMark: 0 })
      for (let n = 0; n < 20; n++) await client.send(Buffer.alloc(5000, n))
      await client.flush()
      await sleep(5)
      client.destroy()
      await sleep(5)
      let received = 0
      const ended = (async () => {
        while ((await accepted.recv()) !== undefined) received++
      })()
      await expect(ended, `after ${received} messages`).rejects.toMatchObject({ code: 'ERR_NETTS_RESET' })
    }
  },
)
