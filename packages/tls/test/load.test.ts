/** What TLS carries under load: large records, slow readers, many connections, and ends of every kind in between. */
import { setTimeout as pause } from 'node:timers/promises'
import { createConnection } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { tcp } from '@netts/tcp'
import { afterEach, describe, expect, it } from 'vitest'
import { tls } from '../src/index.js'
import { Authority } from './certificates.js'
import { ANYWHERE, closed, middle, pair, receive, send } from './support.js'

const authority = new Authority('netts test authority')
const ca = authority.cert
const server = authority.issue({ name: 'server', altNames: 'IP:127.0.0.1' })
const MIB = 2 ** 20

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Bytes that tell where they belong. */
function pattern(byteLength: number, seed: number): Buffer {
  const bytes = Buffer.alloc(byteLength)
  for (let i = 0; i + 4 <= byteLength; i += 4) bytes.writeUInt32LE((i * 2654435761 + seed) >>> 0, i)
  return bytes
}

describe('sends', () => {
  it('of every size around a record of TLS arrive byte for byte', async () => {
    const { client, server: far, close } = await pair({ ca, maxSendSize: 4 * MIB }, { ...server })
    closing.push(close)
    for (const byteLength of [1, 16_383, 16_384, 16_385, 32_768, 65_600, 1_000_003, 4 * MIB]) {
      const bytes = pattern(byteLength, byteLength)
      const [received] = await Promise.all([receive(far, byteLength), send(client, bytes)])
      expect(received.equals(bytes), `${byteLength} bytes`).toBe(true)
    }
  })

  it('of lent memory that is used again after the completion arrive as they were', async () => {
    const { client, server: far, close } = await pair({ ca }, server)
    closing.push(close)
    const sender = createConnection(client)
    const receiver = createConnection(far)
    const reading = (async () => {
      for (let i = 0; i < 60; i++) {
        const message = await receiver.recv()
        expect(
          message!.every((byte) => byte === i),
          `message ${i}`,
        ).toBe(true)
      }
    })()
    const memory = Buffer.alloc(200_000)
    for (let i = 0; i < 60; i++) {
      await sender.send(memory.fill(i))
      await sender.flush()
    }
    await reading
  })
})

describe('a slow reader', () => {
  it('bounds what its writer may have under way, over every layer', async () => {
    const { client, server: far, close } = await pair({ ca }, server)
    closing.push(close)
    const bytes = Buffer.alloc(64 * 1024, 1)
    let sent = 0
    for (let quiet = 0; quiet < 10; ) {
      const accepted = client.sendCopy(bytes)
      sent += accepted
      quiet = accepted === 0 ? quiet + 1 : 0
      if (accepted === 0) await pause(10)
    }
    // The windows of both transports, what TLS and the stream between hold, and the kernel's buffers.
    expect(sent).toBeLessThan(24 * MIB)
    const heldBytes = process.memoryUsage().arrayBuffers
    expect(heldBytes).toBeLessThan(64 * MIB)
    expect((await receive(far, sent)).length).toBe(sent)
  })
})

describe('ends in the middle of anything', () => {
  it('leave no connection that hangs, whoever ends, however, and whenever', async () => {
    const listener = await tls(tcp(), server).listen(ANYWHERE)
    closing.push(() => listener.close())
    const dial = tls(tcp(), { ca })
    let seed = 7
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff
      return (seed >> 8) % below
    }
    for (let round = 0; round < 40; round++) {
      const [near, far] = await Promise.all([dial.connect(listener.address), listener.accept()])
      const ends = [near, far!]
      for (const end of ends) void send(end, pattern(random(3 * MIB), round)).catch(() => {})
      const readers = ends.map((end) => closed(end))
      await pause(random(6))
      const first = random(2)
      for (const end of first === 0 ? ends : ends.reverse()) {
        const how = random(3)
        if (how === 0) end.destroy()
        else if (how === 1) end.disconnect({ timeoutMs: 2000 })
        else {
          end.finish()
          end.disconnect({ timeoutMs: 2000 })
        }
        if (random(2) === 0) await pause(random(4))
      }
      await Promise.all(readers)
    }
  })

  it('of the wire, at any byte, fail both ends, and what was read is a prefix', async () => {
    const listener = await tls(tcp(), server).listen(ANYWHERE)
    closing.push(() => listener.close())
    const bytes = pattern(200_000, 1)
    for (let cut = 1; cut < 250_000; cut = Math.ceil(cut * 1.9)) {
      const wire = await middle(listener.address)
      const [near, far] = await Promise.all([tls(tcp(), { ca }).connect(wire.address), listener.accept()])
      let passed = 0
      wire.change = (some, from) => {
        if (from === 'server') return some
        const part = some.subarray(0, cut - passed)
        passed += part.length
        if (passed >= cut) setImmediate(() => wire.links[0]!.forEach((socket) => void socket.end()))
        return part
      }
      const [received] = await Promise.all([receive(far!), send(near, bytes).catch(() => {})])
      expect(bytes.subarray(0, received.length).equals(received), `cut at ${cut}`).toBe(true)
      if (passed >= cut) expect(far!.error?.code).toBe('ERR_NETTS_RESET')
      near.destroy()
      far!.destroy()
      await wire.close()
    }
  })
})

it('a hundred connections at the same time keep their bytes apart', async () => {
  const mock = createMockNetwork().builder()
  const listener = await tls(mock, server).listen(ANYWHERE)
  closing.push(() => listener.close())
  const dial = tls(mock, { ca })
  const serve = (async () => {
    for await (const far of listener) {
      void (async () => {
        const message = await receive(far, 20_000)
        await send(far, message)
        far.finish()
      })()
    }
  })()
  await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const near = await dial.connect(listener.address)
      const bytes = pattern(20_000, i)
      await send(near, bytes)
      expect((await receive(near)).equals(bytes)).toBe(true)
      expect(near.recvEnded).toBe(true)
      near.disconnect()
      expect(await closed(near)).toBeUndefined()
    }),
  )
  await listener.close()
  await serve
})
