/** Whatever a peer sends or writes ends that connection alone, with a typed error, and nothing grows. */
import type { HostAddress } from '@netts/core'
import { closed, meet, type Stranger, stillWorks, strangerOptions } from '@netts/rdma-suite/stranger'
import { connectEndpoint } from '@netts/verbs/endpoint'
import { forEachSeed } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { HEADER_BYTES } from '../src/protocol/frame.js'
import { encodeHello, encodeReady } from '../src/protocol/hello.js'
import { dataFrame, HELLO, MANNERS, meetStranger, OPTIONS, ringOf, writeRing } from './stranger.js'
import { tested } from './tested.js'

const MODES = ['roce', 'iwarp'] as const
const out = () => [{ chunkIndex: -1, byteLength: -1 }]

describe.each(MODES)('a peer on simulated %s', (mode) => {
  it('that does anything gets a typed error on its own connection, and no other is touched', async () => {
    await forEachSeed({ mode, count: 100 }, meetStranger)
  })

  it('that keeps to the protocol is heard, whatever features it says that it has', async () => {
    await forEachSeed({ mode, count: 5 }, async (fabric) => {
      const manners = { ...MANNERS, hello: encodeHello({ ...HELLO, features: 0xffff_ffff }) }
      const { listener, good, goodEnd, connecting } = await meet(tested, fabric, manners, OPTIONS)
      const stranger = (await connecting).session as Stranger
      const victim = (await listener.accept())!
      writeRing(stranger, dataFrame(5))
      const chunks = out()
      while (victim.pollRecv(chunks) === 0) {
        await new Promise<void>((resolve) => {
          victim.waker = resolve
        })
      }
      expect([...victim.recvBuf(chunks[0]!.chunkIndex)]).toEqual([7, 7, 7, 7, 7])
      victim.repostRecv(chunks[0]!.chunkIndex)
      stranger.endpoint.close()
      for (const transport of [victim, good, goodEnd]) transport.destroy()
      await listener.close()
    })
  })

  const lies: [string, (stranger: Stranger) => void, RegExp][] = [
    [
      'a position behind no frame',
      (it) => writeRing(it, dataFrame(5), { position: HEADER_BYTES }),
      /up to position 16/,
    ],
    [
      'a position that goes back',
      (it) => writeRing(it, dataFrame(5), { position: 2 ** 32 - 1 }),
      /up to position/,
    ],
    [
      'a position beyond the ring',
      (it) => writeRing(it, dataFrame(5), { position: 4097 }),
      /up to position 4097/,
    ],
    [
      'more than a quarter of the ring in one frame',
      (it) => writeRing(it, dataFrame(OPTIONS.capacity / 4 + 1)),
      /up to position 1041/,
    ],
    [
      'a frame that no program could ever hold',
      (it) => writeRing(it, dataFrame(3000).subarray(0, 100), { position: 3000 + HEADER_BYTES }),
      /up to position 3016/,
    ],
    [
      'another length than its doorbell says',
      (it) => writeRing(it, dataFrame(5), { position: 20 }),
      /5 bytes .* says 4/,
    ],
    [
      'something else than data in the ring',
      (it) => writeRing(it, dataFrame(5, { kind: 3 })),
      /FIN in the ring/,
    ],
    [
      'more as released than was written',
      (it) => writeRing(it, dataFrame(5, { released: 1 })),
      /position 1 as released/,
    ],
    ['a count that shrinks', (it) => writeRing(it, dataFrame(5, { posted: 7 })), /a count of 7 receives/],
    ['a count that cannot be', (it) => writeRing(it, dataFrame(5, { posted: 21 })), /a count of 21 receives/],
    [
      'data outside of the ring',
      (it) => it.send(dataFrame(5).subarray(0, HEADER_BYTES)),
      /DATA outside of the ring/,
    ],
    ['a Send of nobody knows what', (it) => it.send(new Uint8Array(7)), /a frame of 7 bytes/],
  ]
  it.each(lies)('that sends %s broke the protocol', async (_, tell, message) => {
    await forEachSeed({ mode, count: 3 }, async (fabric) => {
      const { listener, good, goodEnd, connecting } = await meet(tested, fabric, MANNERS, OPTIONS)
      const stranger = (await connecting).session as Stranger
      const victim = (await listener.accept())!
      tell(stranger)
      await closed(victim)
      expect(victim.error).toMatchObject({
        code: 'ERR_NETTS_PROTOCOL',
        message: expect.stringMatching(message),
      })
      await stillWorks(good, goodEnd)
      stranger.endpoint.close()
      for (const transport of [good, goodEnd]) transport.destroy()
      await listener.close()
    })
  })

  it('that writes with a key that is void, or beyond the ring, is refused by the device', async () => {
    await forEachSeed({ mode, count: 6 }, async (fabric) => {
      const { client, server, listener, good, goodEnd, connecting } = await meet(
        tested,
        fabric,
        MANNERS,
        OPTIONS,
      )
      const first = (await connecting).session as Stranger
      const firstVictim = (await listener.accept())!
      const stale = ringOf(first)
      const before = server.counts.memoryRegions
      firstVictim.destroy()
      first.endpoint.close()
      await first.over
      for (let tries = 0; server.counts.memoryRegions >= before; tries++) {
        expect(tries).toBeLessThan(50)
        await new Promise<void>((resolve) => client.clock.setTimer(resolve, 200))
      }
      for (const attack of ['stale', 'beyond'] as const) {
        const address = listener.address as HostAddress
        const stranger = (await connectEndpoint(client, address, strangerOptions(MANNERS)))
          .session as Stranger
        const victim = (await listener.accept())!
        if (attack === 'stale') writeRing(stranger, dataFrame(5), { ring: stale })
        else writeRing(stranger, dataFrame(5), { offset: OPTIONS.capacity - 4 })
        await closed(victim)
        expect(victim.error?.code).toBe('ERR_NETTS_RESET')
        expect(victim.pollRecv(out())).toBe(0)
        stranger.endpoint.close()
        await stranger.over
      }
      await stillWorks(good, goodEnd)
      for (const transport of [good, goodEnd]) transport.destroy()
      await listener.close()
    })
  })

  it('with nonsense in its hello or READY is refused', async () => {
    const wrong = [
      { ...MANNERS, hello: encodeHello({ ...HELLO, capacity: 5000 }) },
      { ...MANNERS, hello: new Uint8Array(3) },
      { ...MANNERS, ready: encodeReady({ address: 0n, key: 0 }).subarray(1) },
    ]
    for (const manners of wrong) {
      await forEachSeed({ mode, count: 3 }, async (fabric) => {
        const { client, server, listener, good, goodEnd, connecting } = await meet(
          tested,
          fabric,
          manners,
          OPTIONS,
        )
        await expect(connecting).rejects.toMatchObject({
          code: expect.stringMatching(/REJECTED|RESET|CONNECT_FAILED|CLOSED/),
        })
        await stillWorks(good, goodEnd)
        for (const transport of [good, goodEnd]) transport.destroy()
        await listener.close()
        for (let tries = 0; client.pinnedBytes + server.pinnedBytes > 0; tries++) {
          expect(tries).toBeLessThan(50)
          await new Promise<void>((resolve) => client.clock.setTimer(resolve, 200))
        }
      })
    }
  })
})
