/** Endpoints on the simulated device: handshakes, refusals, the faces of a peer's death, teardown. */

import { NettsError } from '@netts/core'
import { type BufferSlot, takeSlot } from '@netts/core/driver'
import { describe, expect, it } from 'vitest'
import type { SimulatedFabric, SimulatedHost, SimulationMode } from '../simulated.js'
import { forEachSeed } from '../simulated.js'
import { COMPLETION, CompletionStatus, SendFlag, SendOpcode } from '../verbs/layout.js'
import { writeReceive, writeSend } from '../verbs/records.js'
import type { Polling } from './completion-loop.js'
import { connectEndpoint } from './connector.js'
import type { Endpoint } from './endpoint.js'
import type { EndpointOptions, EndpointSession } from './endpoint-session.js'
import { type EndpointListenerOptions, listenEndpoints } from './listener.js'
import { kindOf, slotOf, workRequestIdLow } from './work-request-id.js'

const SLOTS = 4
const SLOT_BYTES = 64
const RECEIVE = 1
const SEND = 2

/** A driver as small as can be: messages of up to 64 bytes, four at a time. */
class Messenger implements EndpointSession {
  readonly endpoint: Endpoint
  readonly received: string[] = []
  readonly calls: string[] = []
  readonly closed: Promise<void>
  end: NettsError | undefined
  peerHello = ''
  onMessage: (() => void) | undefined
  readonly #pool
  readonly #receives: BufferSlot[] = []
  readonly #sends: BufferSlot[] = []
  #resolveClosed!: () => void

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#pool = endpoint.environment.createBufferPool({
      classes: [{ byteLength: SLOT_BYTES, count: 2 * SLOTS }],
      slabByteLength: 4096,
    })
    for (let slot = 0; slot < SLOTS; slot++) {
      this.#receives.push(takeSlot(this.#pool.alloc(SLOT_BYTES)))
      this.#sends.push(takeSlot(this.#pool.alloc(SLOT_BYTES)))
      this.#postReceive(slot)
    }
  }

  #range({ slab, byteOffset }: BufferSlot, byteLength: number) {
    return { region: this.endpoint.environment.regionOf(slab), byteOffset, byteLength }
  }

  #postReceive(slot: number): void {
    writeReceive(this.endpoint.queuePair, 0, {
      id: BigInt(workRequestIdLow(RECEIVE, slot)),
      entries: [this.#range(this.#receives[slot]!, SLOT_BYTES)],
    })
    this.endpoint.queuePair.postReceive(1)
  }

  send(text: string): void {
    const slot = this.#sends.findIndex((candidate) => candidate !== undefined)
    const { slab, byteOffset } = this.#sends[slot]!
    const bytes = new TextEncoder().encode(text)
    slab.set(bytes, byteOffset)
    writeSend(this.endpoint.queuePair, 0, {
      id: BigInt(workRequestIdLow(SEND, slot)),
      opcode: SendOpcode.send,
      flags: SendFlag.signalled,
      entries: [this.#range(this.#sends[slot]!, bytes.byteLength)],
    })
    expect(this.endpoint.queuePair.postSend(1)).toBe(1)
  }

  hello(): Uint8Array {
    this.calls.push('hello')
    return new TextEncoder().encode(this.endpoint.role)
  }

  onHello(body: Uint8Array): void {
    this.calls.push('onHello')
    this.peerHello = new TextDecoder().decode(body)
    if (this.peerHello === 'unwelcome') throw new NettsError('ERR_NETTS_PROTOCOL', 'I do not like you')
  }

  ready(): Uint8Array {
    this.calls.push('ready')
    return new Uint8Array([1, 2, 3])
  }

  onReady(body: Uint8Array): void {
    this.calls.push('onReady')
    expect([...body]).toEqual([1, 2, 3])
  }

  onOpen(): void {
    this.calls.push('onOpen')
  }

  onCompletion(words: Uint32Array, at: number): void {
    const id = words[at + COMPLETION.idLow]!
    if (words[at + COMPLETION.status] !== CompletionStatus.success || kindOf(id) !== RECEIVE) return
    const slot = slotOf(id)
    const { slab, byteOffset } = this.#receives[slot]!
    const bytes = slab.subarray(byteOffset, byteOffset + words[at + COMPLETION.byteLength]!)
    this.received.push(new TextDecoder().decode(bytes))
    this.#postReceive(slot)
  }

  onBatchEnd(): void {
    this.onMessage?.()
  }

  onEnd(error: NettsError): void {
    this.calls.push('onEnd')
    this.end = error
  }

  onDrained(): void {
    this.calls.push('onDrained')
  }

  onClosed(): void {
    this.calls.push('onClosed')
    for (const slot of [...this.#receives, ...this.#sends]) slot.free()
    this.#pool.close()
    this.#resolveClosed()
  }

  /** Waits for the first `count` messages. */
  async messages(count: number): Promise<string[]> {
    while (this.received.length < count) {
      await new Promise<void>((resolve) => {
        this.onMessage = resolve
      })
    }
    return this.received.slice(0, count)
  }
}

/** How the present round waits for completions. */
let polling: Polling = 'event'

const messenger: EndpointOptions = {
  identity: { driver: 200, version: 1 },
  get polling() {
    return { polling, adaptiveMicroseconds: 20, spinMicroseconds: 0 }
  },
  maxSendWorkRequests: SLOTS,
  maxReceiveWorkRequests: SLOTS,
  maxSendEntries: 1,
  maxReceiveEntries: 1,
  maxInlineBytes: 0,
  maxReads: 1,
  keepAliveIntervalMs: 1000,
  keepAliveTimeoutMs: 3000,
  openSession: (endpoint) => new Messenger(endpoint),
}

const of = (endpoint: Endpoint) => endpoint.session as Messenger

/** A listener that hands out what it accepted. */
function listen(
  server: SimulatedHost,
  options: EndpointOptions = messenger,
  more: Partial<EndpointListenerOptions> = {},
) {
  const accepted: Endpoint[] = []
  const waiting: ((endpoint: Endpoint) => void)[] = []
  const failures: NettsError[] = []
  const listener = listenEndpoints(
    server,
    { host: server.address, port: 7000 },
    {
      endpoint: options,
      backlog: 10,
      hasRoom: (handshakes) => handshakes < 10,
      onEndpoint(endpoint) {
        const waiter = waiting.shift()
        if (waiter) waiter(endpoint)
        else accepted.push(endpoint)
      },
      onFailure() {},
      onHandshakeFailure: (error) => failures.push(error),
      ...more,
    },
  )
  return {
    listener,
    failures,
    accept: async () => accepted.shift() ?? new Promise<Endpoint>((resolve) => waiting.push(resolve)),
  }
}

interface Net {
  readonly fabric: SimulatedFabric
  readonly client: SimulatedHost
  readonly server: SimulatedHost
  readonly address: { host: string; port: number }
}

const MODES: readonly SimulationMode[] = ['roce', 'iwarp']
const POLLING: readonly Polling[] = ['event', 'adaptive', 'busy']
const SEEDS = Number(process.env.NETTS_SIMULATION_ROUNDS ?? 20)

describe.each(MODES)('endpoints on simulated %s', (mode) => {
  const over = (name: string, body: (net: Net) => Promise<void>) =>
    it(name, () =>
      forEachSeed({ mode, count: SEEDS }, async (fabric) => {
        polling = POLLING[fabric.seed % POLLING.length]!
        const client = fabric.createHost({ name: 'client' })
        const server = fabric.createHost({ name: 'server' })
        await body({ fabric, client, server, address: { host: server.address, port: 7000 } })
        for (const host of [client, server]) {
          if (host.dead) continue
          expect(Object.entries(host.counts).filter(([, count]) => count > 0)).toEqual([])
          expect(host.pinnedBytes).toBe(0)
        }
      }),
    )

  over('connect, talk both ways, and leave nothing behind', async ({ client, server, address }) => {
    const { listener, accept } = listen(server)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    of(near).send('ping')
    expect(await of(far).messages(1)).toEqual(['ping'])
    of(far).send('pong')
    expect(await of(near).messages(1)).toEqual(['pong'])
    expect(of(near).peerHello).toBe('acceptor')
    expect(of(far).peerHello).toBe('connector')
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
    expect(of(near).calls).toEqual([
      'hello',
      'onHello',
      'ready',
      'onReady',
      'onOpen',
      'onDrained',
      'onClosed',
    ])
    expect(of(far).calls.slice(0, 5)).toEqual(['onHello', 'hello', 'onReady', 'ready', 'onOpen'])
    expect(of(far).calls.slice(5)).toEqual(['onEnd', 'onDrained', 'onClosed'])
    expect(of(far).end?.code).toBe('ERR_NETTS_RESET')
  })

  over('deliver what was acknowledged before the peer closed', async ({ client, server, address }) => {
    const { listener, accept } = listen(server)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    of(near).send('last words')
    await new Promise<void>((resolve) => {
      of(near).onMessage = resolve
    })
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    expect(of(far).received).toEqual(['last words'])
    listener.close()
  })

  over('many connect at once', async ({ client, server, address }) => {
    const { listener, accept } = listen(server)
    const endpoints = await Promise.all(
      Array.from({ length: 8 }, () => [connectEndpoint(client, address, messenger), accept()]).flat(),
    )
    for (const [index, near] of endpoints.entries()) if (near.role === 'connector') of(near).send(`${index}`)
    const heard = endpoints.filter(({ role }) => role === 'acceptor').map((far) => of(far).messages(1))
    expect(new Set((await Promise.all(heard)).flat()).size).toBe(8)
    for (const endpoint of endpoints) endpoint.close()
    await Promise.all(endpoints.map((endpoint) => of(endpoint).closed))
    listener.close()
  })

  over('nobody listens', async ({ client, address }) => {
    await expect(connectEndpoint(client, address, messenger)).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
    })
    await settled(client)
  })

  over('no such host', async ({ client }) => {
    await expect(connectEndpoint(client, { host: '10.9.9.9', port: 1 }, messenger)).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
    })
  })

  over('a silent host runs into the deadline', async ({ fabric, client, server, address }) => {
    server.powerOff()
    const started = fabric.nowMs
    await expect(connectEndpoint(client, address, messenger, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
    })
    expect(Math.round(fabric.nowMs - started)).toBe(500)
    await settled(client)
  })

  over(
    'another driver, another version, or no netts at all is refused',
    async ({ client, server, address }) => {
      const { listener, failures } = listen(server)
      const others = [
        { driver: 201, version: 1 },
        { driver: 200, version: 2 },
      ]
      for (const identity of others) {
        await expect(connectEndpoint(client, address, { ...messenger, identity })).rejects.toMatchObject({
          code: 'ERR_NETTS_REJECTED',
        })
      }
      expect(failures.length).toBe(2)
      await settled(client)
      listener.close()
    },
  )

  over('a session that refuses the peer says why', async ({ client, server, address }) => {
    const { listener } = listen(server)
    const unwelcome = class extends Messenger {
      override hello() {
        return new TextEncoder().encode('unwelcome')
      }
    }
    await expect(
      connectEndpoint(client, address, { ...messenger, openSession: (endpoint) => new unwelcome(endpoint) }),
    ).rejects.toMatchObject({
      code: 'ERR_NETTS_REJECTED',
      message: expect.stringContaining('I do not like you'),
    })
    listener.close()
    await settled(client, server)
  })

  over('a full backlog refuses', async ({ client, server, address }) => {
    const { listener } = listen(server, messenger, { hasRoom: () => false })
    await expect(connectEndpoint(client, address, messenger)).rejects.toMatchObject({
      code: 'ERR_NETTS_REJECTED',
      message: expect.stringContaining('backlog'),
    })
    listener.close()
    await settled(client)
  })

  over('a client without memory fails alone', async ({ client, server, address }) => {
    const { listener, accept } = listen(server)
    client.failCall('ibv_reg_mr', 'ENOMEM')
    await expect(connectEndpoint(client, address, messenger)).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
      message: expect.stringContaining('ENOMEM'),
    })
    server.failCall('rdma_create_qp', 'ENOMEM')
    await expect(connectEndpoint(client, address, messenger)).rejects.toMatchObject({
      code: 'ERR_NETTS_REJECTED',
    })
    await settled(client)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
  })

  over('an abort at any step leaves nothing behind', async ({ fabric, client, server, address }) => {
    const { listener } = listen(server)
    const controller = new AbortController()
    const abortAt = fabric.random.below(40)
    const start = fabric.steps
    fabric.onStep = (step) => {
      if (step - start === abortAt) queueMicrotask(() => controller.abort())
    }
    const attempt = connectEndpoint(client, address, messenger, { signal: controller.signal })
    try {
      const near = await attempt
      near.close()
      await of(near).closed
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    }
    await settled(client)
    listener.close()
    await settled(client, server)
  })

  over('a killed peer is noticed', async ({ client, server, address }) => {
    const { accept } = listen(server)
    const [near] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    server.kill()
    await of(near).closed
    expect(of(near).end?.code).toBe('ERR_NETTS_RESET')
  })

  over('a peer without power is noticed by its silence', async ({ fabric, client, server, address }) => {
    const { accept } = listen(server)
    const [near] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    server.powerOff()
    const started = fabric.nowMs
    await of(near).closed
    expect(of(near).end?.code).toBe('ERR_NETTS_PEER_LOST')
    expect(fabric.nowMs - started).toBeLessThan(10_000)
  })

  over('a link that is gone for 2 s loses nothing', async ({ fabric, client, server, address }) => {
    const { listener, accept } = listen(server)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    fabric.partition(client, server)
    client.clock.setTimer(() => fabric.heal(), 2000)
    of(near).send('still there?')
    expect(await of(far).messages(1)).toEqual(['still there?'])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
  })

  over('a removed device ends its connections', async ({ client, server, address }) => {
    const { listener, accept } = listen(server)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    client.removeDevice()
    await of(near).closed
    expect(of(near).end).toBeDefined()
    far.close()
    await of(far).closed
    listener.close()
  })

  over('closing twice, and from within callbacks, closes once', async ({ client, server, address }) => {
    const { listener, accept } = listen(server)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    of(far).onMessage = () => {
      far.close()
      far.close()
    }
    of(near).send('bye')
    await Promise.all([of(near).closed, of(far).closed])
    expect(of(far).calls.filter((call) => call === 'onClosed')).toEqual(['onClosed'])
    near.close()
    listener.close()
  })

  /** Waits until these hosts have torn down what was going. */
  async function settled(...hosts: SimulatedHost[]): Promise<void> {
    for (const host of hosts) {
      while (host.counts.queuePairs > 0) {
        await new Promise<void>((resolve) => host.clock.setTimer(resolve, 50))
      }
    }
  }
})
