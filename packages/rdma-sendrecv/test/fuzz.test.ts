/**
 * A peer that sends anything: whatever it is, it ends that connection alone, with a typed error, and nothing grows.
 * The peer is a program on the bare endpoint, with a hello that is right and frames that are not.
 */
import { type HostAddress, NettsError } from '@netts/core'
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import { SendFlag, SendOpcode, writeReceive, writeSend } from '@netts/verbs'
import {
  connectEndpoint,
  type Endpoint,
  type EndpointOptions,
  type EndpointSession,
  listenEndpoints,
} from '@netts/verbs/endpoint'
import { forEachSeed, type SimulatedFabric } from '@netts/verbs/simulated'
import { describe, expect, it } from 'vitest'
import { type SendRecvTransport, sendRecvOver } from '../src/index.js'
import { writeHeader } from '../src/protocol/frame.js'
import { encodeHello } from '../src/protocol/hello.js'

const HELLO = { bufferSize: 2048, posted: 8, maxPosted: 20, features: 0 }
const BUFFER_BYTES = 2048
const RECEIVES = 20

/** The peer: posts receives as its hello says, and sends whatever it is told to. */
class Stranger implements EndpointSession {
  readonly endpoint: Endpoint
  readonly over: Promise<void>
  readonly #hello: Uint8Array
  readonly #pool
  readonly #slots: BufferSlot[] = []
  readonly #out: BufferSlot
  #end!: () => void

  constructor(endpoint: Endpoint, hello: Uint8Array) {
    this.endpoint = endpoint
    this.#hello = hello
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#pool = endpoint.environment.createBufferPool({
      classes: [{ byteLength: BUFFER_BYTES, count: RECEIVES + 1 }],
      slabByteLength: 64 * 1024,
    })
    this.#out = this.#take()
    for (let i = 0; i < RECEIVES; i++) {
      writeReceive(endpoint.queuePair, 0, { id: 1n, entries: [this.#range(this.#take(), BUFFER_BYTES)] })
      endpoint.queuePair.postReceive(1)
    }
  }

  send(bytes: Uint8Array): void {
    const { queuePair } = this.endpoint
    this.#out.slab.set(bytes, this.#out.byteOffset)
    writeSend(queuePair, 0, {
      id: 2n,
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [this.#range(this.#out, bytes.byteLength)],
    })
    queuePair.postSend(1)
  }

  #take(): BufferSlot {
    const slot = takeSlot(this.#pool.alloc(BUFFER_BYTES))
    this.#slots.push(slot)
    return slot
  }

  #range({ slab, byteOffset }: BufferSlot, byteLength: number) {
    return { region: this.endpoint.environment.regionOf(slab), byteOffset, byteLength }
  }

  hello() {
    return this.#hello
  }
  onHello() {}
  ready() {
    return new Uint8Array(0)
  }
  onReady() {}
  onOpen() {}
  onCompletion() {}
  onBatchEnd() {}
  onEnd() {}
  onDrained() {}
  onClosed() {
    for (const slot of this.#slots) slot.free()
    this.#pool.close()
    this.#end()
  }
}

function options(hello: Uint8Array): EndpointOptions {
  return {
    identity: { driver: 1, version: 1 },
    polling: { polling: 'event', adaptiveMicroseconds: 0, spinMicroseconds: 0 },
    keepAliveIntervalMs: 0,
    keepAliveTimeoutMs: 1000,
    maxSendWorkRequests: 4,
    maxReceiveWorkRequests: RECEIVES,
    maxSendEntries: 1,
    maxReceiveEntries: 1,
    maxInlineBytes: 0,
    maxReads: 1,
    openSession: (endpoint) => new Stranger(endpoint, hello),
  }
}

/** A good connection, and one to a stranger, on the same listener. */
async function meet(fabric: SimulatedFabric, hello = encodeHello(HELLO)) {
  const [client, server] = [fabric.createHost(), fabric.createHost()]
  const listener = await sendRecvOver({ verbs: server, polling: 'event' }).listen({
    host: server.address,
    port: 0,
  })
  const good = await sendRecvOver({ verbs: client, polling: 'event' }).connect(listener.address)
  const goodEnd = (await listener.accept())!
  const connecting = connectEndpoint(client, listener.address as HostAddress, options(hello))
  return { client, server, listener, good, goodEnd, connecting }
}

async function closed(transport: SendRecvTransport): Promise<void> {
  while (!transport.pollDisconnect()) {
    await new Promise<void>((resolve) => {
      transport.waker = resolve
    })
  }
}

/** The other connection of the listener still works. */
async function stillWorks(good: SendRecvTransport, goodEnd: SendRecvTransport): Promise<void> {
  expect(good.sendCopy(new Uint8Array([42]))).toBe(1)
  const out = [{ bufIdx: -1, byteLen: -1 }]
  while (goodEnd.pollRecv(out) === 0) {
    await new Promise<void>((resolve) => {
      goodEnd.waker = resolve
    })
  }
  expect([...goodEnd.recvBuf(out[0]!.bufIdx)]).toEqual([42])
  goodEnd.repostRecv(out[0]!.bufIdx)
}

describe('a peer that sends anything', () => {
  for (const mode of ['roce', 'iwarp'] as const) {
    it(`gets a typed error on its own connection, and no other is touched (${mode})`, async () => {
      await forEachSeed({ mode, count: 60 }, async (fabric) => {
        const { client, server, listener, good, goodEnd, connecting } = await meet(fabric)
        const stranger = (await connecting).session as Stranger
        const victim = (await listener.accept())!
        const { random } = fabric
        const bytes = new Uint8Array(random.below(40))
        for (let i = 0; i < bytes.byteLength; i++) bytes[i] = random.below(256)
        // Half of them get past the header's first checks.
        if (bytes.byteLength >= 8 && random.chance(0.5))
          writeHeader(bytes, 0, (1 + random.below(7)) as 1, random.below(40))
        stranger.send(bytes)
        await closedOrHeard(victim)
        if (victim.pollDisconnect()) {
          expect(victim.error).toBeInstanceOf(NettsError)
          expect(['ERR_NETTS_PROTOCOL', 'ERR_NETTS_RESET']).toContain(victim.error?.code)
        }
        await stillWorks(good, goodEnd)
        stranger.endpoint.close()
        victim.destroy()
        await stranger.over
        good.destroy()
        goodEnd.destroy()
        await listener.close()
        for (let tries = 0; client.pinnedBytes + server.pinnedBytes > 0; tries++) {
          expect(tries).toBeLessThan(50)
          await new Promise<void>((resolve) => client.clock.setTimer(resolve, 200))
        }
      })
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
        const { listener, good, goodEnd, connecting } = await meet(fabric, hello)
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
        const endpoint: EndpointOptions = {
          ...options(new Uint8Array(7)),
          openSession: (made) => {
            stranger = new Stranger(made, new Uint8Array(7))
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
      const { listener, good, goodEnd, connecting } = await meet(fabric)
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

/** Until the victim took what came: closed, or a chunk, or nothing that shows. */
async function closedOrHeard(victim: SendRecvTransport): Promise<void> {
  let woken = false
  victim.waker = () => {
    woken = true
  }
  for (let tries = 0; tries < 200 && !woken && !victim.pollDisconnect(); tries++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
