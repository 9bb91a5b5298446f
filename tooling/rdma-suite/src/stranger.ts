/** A peer that sends anything: a program on the bare endpoint, with a hello that is right and frames that are not. */
import assert from 'node:assert/strict'
import { type HostAddress, NettsError } from '@netts/core'
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import { SendFlag, SendOpcode, type SendWorkRequest, writeReceive, writeSend } from '@netts/verbs'
import {
  connectEndpoint,
  type Endpoint,
  type EndpointOptions,
  type EndpointSession,
  type ProtocolIdentity,
  type RdmaOptions,
} from '@netts/verbs/endpoint'
import type { SeededRandom, SimulatedFabric } from '@netts/verbs/simulated'
import type { RdmaTestTransport, TestedDriver } from './tested-driver.js'

const BUFFER_BYTES = 2048

/** What a stranger says when it connects. */
export interface StrangerManners {
  readonly identity: ProtocolIdentity
  /** The driver's part of its hello. */
  readonly hello: Uint8Array
  /** Its part of READY. @default nothing */
  readonly ready?: Uint8Array
  /** Receives that it posts, each of 2048 bytes. */
  readonly receives: number
}

/** The peer: posts receives as its hello says, and sends whatever it is told to. */
export class Stranger implements EndpointSession {
  readonly endpoint: Endpoint
  readonly over: Promise<void>
  /** What the driver said in its READY. */
  peerReady = new Uint8Array(0)
  readonly #manners: StrangerManners
  readonly #pool
  readonly #slots: BufferSlot[] = []
  readonly #out: BufferSlot
  readonly #in: BufferSlot
  #end!: () => void

  constructor(endpoint: Endpoint, manners: StrangerManners) {
    this.endpoint = endpoint
    this.#manners = manners
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#pool = endpoint.environment.createBufferPool({
      classes: [{ byteLength: BUFFER_BYTES, count: 2 }],
      slabByteLength: 2 * BUFFER_BYTES,
    })
    this.#out = this.#take()
    // What it receives does not matter, so that all receives may share their memory.
    this.#in = this.#take()
    for (let i = 0; i < manners.receives; i++) {
      writeReceive(endpoint.queuePair, 0, { id: 1n, entries: [this.#range(this.#in, BUFFER_BYTES)] })
      endpoint.queuePair.postReceive(1)
    }
  }

  /**
   * Posts a request that carries these bytes.
   * @param request a Send, unless it says otherwise
   * @param from where in its memory the bytes lie until they were sent. @default 0
   */
  send(bytes: Uint8Array, request: Partial<SendWorkRequest> = {}, from = 0): void {
    const { queuePair } = this.endpoint
    this.#out.slab.set(bytes, this.#out.byteOffset + from)
    writeSend(queuePair, 0, {
      id: 2n,
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [this.#range(this.#out, bytes.byteLength, from)],
      ...request,
    })
    queuePair.postSend(1)
  }

  #take(): BufferSlot {
    const slot = takeSlot(this.#pool.alloc(BUFFER_BYTES))
    this.#slots.push(slot)
    return slot
  }

  #range({ slab, byteOffset }: BufferSlot, byteLength: number, from = 0) {
    return { region: this.endpoint.environment.regionOf(slab), byteOffset: byteOffset + from, byteLength }
  }

  hello() {
    return this.#manners.hello
  }
  onHello() {}
  ready() {
    return this.#manners.ready ?? new Uint8Array(0)
  }
  onReady(body: Uint8Array) {
    this.peerReady = body.slice()
  }
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

/** Endpoints that carry a {@link Stranger}. */
export function strangerOptions(manners: StrangerManners): EndpointOptions {
  return {
    identity: manners.identity,
    polling: { polling: 'event', adaptiveMicroseconds: 0, spinMicroseconds: 0 },
    keepAliveIntervalMs: 0,
    keepAliveTimeoutMs: 1000,
    maxSendWorkRequests: 4,
    maxReceiveWorkRequests: manners.receives,
    maxSendEntries: 1,
    maxReceiveEntries: 1,
    maxInlineBytes: 0,
    maxReads: 1,
    openSession: (endpoint) => new Stranger(endpoint, manners),
  }
}

/** A good connection, and one to a stranger, on the same listener. */
export async function meet<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  fabric: SimulatedFabric,
  manners: StrangerManners,
  options: O,
) {
  const [client, server] = [fabric.createHost(), fabric.createHost()]
  const builder = driver.buildOver({ ...options, polling: 'event', verbs: client })
  const listener = await driver
    .buildOver({ ...options, polling: 'event', verbs: server })
    .listen({ host: server.address, port: 0 })
  const good = await builder.connect(listener.address)
  const goodEnd = (await listener.accept())!
  const connecting = connectEndpoint(client, listener.address as HostAddress, strangerOptions(manners))
  return { client, server, listener, good, goodEnd, connecting }
}

export async function closed(transport: RdmaTestTransport): Promise<void> {
  while (!transport.pollDisconnect()) {
    await new Promise<void>((resolve) => {
      transport.waker = resolve
    })
  }
}

/** The other connection of the listener still works. */
export async function stillWorks(good: RdmaTestTransport, goodEnd: RdmaTestTransport): Promise<void> {
  assert.equal(good.sendCopy(new Uint8Array([42])), 1)
  const out = [{ chunkIndex: -1, byteLength: -1 }]
  while (goodEnd.pollRecv(out) === 0) {
    await new Promise<void>((resolve) => {
      goodEnd.waker = resolve
    })
  }
  assert.deepEqual([...goodEnd.recvBuf(out[0]!.chunkIndex)], [42])
  goodEnd.repostRecv(out[0]!.chunkIndex)
}

/**
 * Meets a stranger that does something, at random: it is taken or ends that connection alone, with a typed error, and
 * nothing is left behind.
 * @param act sends what it likes
 * @param codes of the error that it may get
 */
export async function meetStranger<O extends RdmaOptions>(
  driver: TestedDriver<O>,
  fabric: SimulatedFabric,
  manners: StrangerManners,
  options: O,
  act: (stranger: Stranger, random: SeededRandom) => void,
  codes = /^ERR_NETTS_(PROTOCOL|RESET)$/,
): Promise<void> {
  const { client, server, listener, good, goodEnd, connecting } = await meet(driver, fabric, manners, options)
  const stranger = (await connecting).session as Stranger
  const victim = (await listener.accept())!
  act(stranger, fabric.random)
  await closedOrHeard(victim)
  if (victim.pollDisconnect()) {
    assert.ok(victim.error instanceof NettsError)
    assert.match(victim.error.code, codes)
  }
  await stillWorks(good, goodEnd)
  stranger.endpoint.close()
  victim.destroy()
  await stranger.over
  good.destroy()
  goodEnd.destroy()
  await listener.close()
  for (let tries = 0; client.pinnedBytes + server.pinnedBytes > 0; tries++) {
    assert.ok(tries < 50, `${client.pinnedBytes + server.pinnedBytes} bytes are pinned still`)
    await new Promise<void>((resolve) => client.clock.setTimer(resolve, 200))
  }
}

/** Until the victim took what came: closed, or a chunk, or nothing that shows. */
async function closedOrHeard(victim: RdmaTestTransport): Promise<void> {
  let woken = false
  victim.waker = () => {
    woken = true
  }
  for (let tries = 0; tries < 200 && !woken && !victim.pollDisconnect(); tries++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
