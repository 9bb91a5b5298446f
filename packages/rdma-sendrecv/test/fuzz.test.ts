/** Whatever a peer sends ends that connection alone, with a typed error, and nothing grows. */
import { NettsError } from '@netts/core'
import { closed, meet, Stranger, stillWorks, strangerOptions } from '@netts/rdma-suite/stranger'
import { type EndpointOptions, listenEndpoints } from '@netts/verbs/endpoint'
import { forEachSeed } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { sendRecvOver } from '../src/index.js'
import { writeHeader } from '../src/protocol/frame.js'
import { encodeHello } from '../src/protocol/hello.js'
import { HELLO, MANNERS, meetStranger } from './stranger.js'
import { tested } from './tested.js'

describe('a peer that sends anything', () => {
  for (const mode of ['roce', 'iwarp'] as const) {
    it(`gets a typed error on its own connection, and no other is touched (${mode})`, async () => {
      await forEachSeed({ mode, count: 60 }, meetStranger)
    })
  }

  it('in its hello is refused with a reason that it is told', async () => {
    const hellos: [Uint8Array, RegExp][] = [
      [new Uint8Array(0), /0 bytes, not 16/],
      [encodeHello({ ...HELLO, bufferSize: 7 }), /buffers of 7 bytes/],
      [encodeHello({ ...HELLO, posted: 30 }), /30 receives/],
      [encodeHello({ ...HELLO, maxPosted: 0xffff_ffff }), /more than/],
    ]
    for (const [hello, reason] of hellos) {
      await forEachSeed({ mode: 'roce', count: 3 }, async (fabric) => {
        const { listener, good, goodEnd, connecting } = await meet(tested, fabric, { ...MANNERS, hello }, {})
        await expect(connecting).rejects.toMatchObject({
          code: 'ERR_NETTS_REJECTED',
          message: expect.stringMatching(reason),
        })
        await stillWorks(good, goodEnd)
        good.destroy()
        goodEnd.destroy()
        await listener.close()
      })
    }
  })

  it('in its hello, with frames right behind it, is a failed connect and nothing more', async () => {
    for (const mode of ['roce', 'iwarp'] as const) {
      await forEachSeed({ mode, count: 20 }, async (fabric) => {
        const [client, server] = [fabric.createHost(), fabric.createHost()]
        let stranger: Stranger | undefined
        const manners = { ...MANNERS, hello: new Uint8Array(7) }
        const endpoint: EndpointOptions = {
          ...strangerOptions(manners),
          openSession: (made) => {
            stranger = new Stranger(made, manners)
            return stranger
          },
        }
        const listener = listenEndpoints(
          server,
          { host: server.address, port: 0 },
          { endpoint, backlog: 1, hasRoom: () => true, onEndpoint() {}, onFailure() {} },
        )
        let sent = 0
        fabric.onStep = () => {
          try {
            stranger?.send(new Uint8Array(20).fill(1))
            sent++
          } catch {
            // It may not send yet, or not any more.
          }
        }
        const builder = sendRecvOver({ verbs: client, polling: 'busy' })
        await expect(builder.connect(listener.address)).rejects.toBeInstanceOf(NettsError)
        expect(sent).toBeGreaterThan(1)
        fabric.onStep = undefined
        listener.close()
        await stranger?.over
        for (let tries = 0; client.pinnedBytes > 0; tries++) {
          expect(tries).toBeLessThan(50)
          await new Promise<void>((resolve) => client.clock.setTimer(resolve, 200))
        }
      })
    }
  })

  it('such as more frames than it may ends its own connection', async () => {
    await forEachSeed({ mode: 'iwarp', count: 10 }, async (fabric) => {
      const { listener, good, goodEnd, connecting } = await meet(tested, fabric, MANNERS, {})
      const stranger = (await connecting).session as Stranger
      const victim = (await listener.accept())!
      const frame = new Uint8Array(9)
      writeHeader(frame, 0, 1, 8)
      for (let i = 0; i < 200 && stranger.endpoint.state === 'open'; i++) {
        try {
          stranger.send(frame)
        } catch {
          break
        }
        await new Promise<void>((resolve) => (victim.waker === undefined ? resolve() : resolve()))
        await new Promise<void>((resolve) => fabric.hosts[0]!.clock.setTimer(resolve, 1))
      }
      await closed(victim)
      expect(victim.error).toBeInstanceOf(NettsError)
      await stillWorks(good, goodEnd)
      stranger.endpoint.close()
      good.destroy()
      goodEnd.destroy()
      await listener.close()
    })
  })
})
