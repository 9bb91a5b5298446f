/** A peer that sends anything: a program on the bare endpoint, with a hello that is right and frames that are not. */
import { type HostAddress, NettsError } from '@netts/core'
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import { SendFlag, SendOpcode, writeReceive, writeSend } from '@netts/verbs'
import {
  connectEndpoint,
  type Endpoint,
  type EndpointOptions,
  type EndpointSession,
} from '@netts/verbs/endpoint'
import type { SimulatedFabric } from '@netts/verbs/simulated'
import { expect } from 'vitest'
import { type SendRecvTransport, sendRecvOver } from '../src/index.js'
import { writeHeader } from '../src/protocol/frame.js'
import { encodeHello } from '../src/protocol/hello.js'

export const HELLO = { bufferSize: 2048, posted: 8, maxPosted: 20, features: 0 }
const BUFFER_BYTES = 2048
const RECEIVES = 20

/** The peer: posts receives as its hello says, and sends whatever it is told to. */
export class Stranger implements EndpointSession {
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

export function options(hello: Uint8Array): EndpointOptions {
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
export async function meet(fabric: SimulatedFabric, hello = encodeHello(HELLO)) {
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

export async function closed(transport: SendRecvTransport): Promise<void> {
  while (!transport.pollDisconnect()) {
    await new Promise<void>((resolve) => {
      transport.waker = resolve
    })
  }
}

/** The other connection of the listener still works. */
export async function stillWorks(good: SendRecvTransport, goodEnd: SendRecvTransport): Promise<void> {
  expect(good.sendCopy(new Uint8Array([42]))).toBe(1)
  const out = [{ chunkIndex: -1, byteLength: -1 }]
  while (goodEnd.pollRecv(out) === 0) {
    await new Promise<void>((resolve) => {
      goodEnd.waker = resolve
    })
  }
  expect([...goodEnd.recvBuf(out[0]!.chunkIndex)]).toEqual([42])
  goodEnd.repostRecv(out[0]!.chunkIndex)
}

/**
 * Meets a stranger that sends one frame, at random: it is taken or ends that connection alone, with a typed error,
 * and nothing is left behind.
 */
export async function meetStranger(fabric: SimulatedFabric): Promise<void> {
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
}

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
