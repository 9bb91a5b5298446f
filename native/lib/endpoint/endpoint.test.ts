/** Endpoints on the simulated device, where anything can go wrong at any step. The rest is in the endpoint suite. */
import dns from 'node:dns/promises'
import { describe, expect, it, vi } from 'vitest'
import { connectPair, End, resolve } from '../../test/device-suite/pair.js'
import { connectWithin } from '../../test/endpoint-suite/connect-within.js'
import {
  listenForMessengers,
  messengerOptions,
  messengerOf as of,
  settled,
} from '../../test/endpoint-suite/messenger.js'
import type { SimulatedFabric, SimulatedHost, SimulationMode } from '../simulated.js'
import { forEachSeed } from '../simulated.js'
import { SendFlag, SendOpcode } from '../verbs/layout.js'
import { writeReceive } from '../verbs/records.js'
import type { Polling } from './completion-loop.js'
import { connectEndpoint } from './connector.js'
import type { EndpointOptions } from './endpoint-session.js'
import { encodeHello, HELLO_BODY_BYTES } from './hello.js'

interface Net {
  readonly fabric: SimulatedFabric
  readonly client: SimulatedHost
  readonly server: SimulatedHost
  readonly messenger: EndpointOptions
}

const MODES: readonly SimulationMode[] = ['roce', 'iwarp']
const POLLING: readonly Polling[] = ['event', 'adaptive', 'busy']
const SEEDS = Number(process.env.NETTS_SIMULATION_ROUNDS ?? 12)

describe.each(MODES)('endpoints on simulated %s', (mode) => {
  const over = (name: string, body: (net: Net) => Promise<void>, count = SEEDS) =>
    it(name, () =>
      forEachSeed({ mode, count }, async (fabric) => {
        const client = fabric.createHost({ name: 'client' })
        const server = fabric.createHost({ name: 'server' })
        await body({
          fabric,
          client,
          server,
          messenger: messengerOptions(POLLING[fabric.seed % POLLING.length]!),
        })
        for (const host of [client, server]) {
          if (host.dead) continue
          expect(host.counters).toMatchObject({ receiverNotReady: 0, blockingCalls: 0 })
          expect(Object.entries(host.counts).filter(([, count]) => count > 0)).toEqual([])
          expect(host.pinnedBytes).toBe(0)
        }
      }),
    )

  over('no such host', async ({ client, messenger }) => {
    await expect(connectEndpoint(client, { host: '10.9.9.9', port: 1 }, messenger)).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
    })
  })

  over('two hundred connect at once', async ({ fabric, client, server, messenger }) => {
    if (fabric.seed > 2) return
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger, {
      backlog: 200,
      hasRoom: () => true,
    })
    const endpoints = await Promise.all(
      Array.from({ length: 200 }, () => [connectEndpoint(client, address, messenger), accept()]).flat(),
    )
    for (const endpoint of endpoints) if (endpoint.role === 'connector') of(endpoint).send('hello')
    const acceptors = endpoints.filter(({ role }) => role === 'acceptor')
    await Promise.all(acceptors.map((endpoint) => of(endpoint).messages(1)))
    for (const endpoint of endpoints) endpoint.close()
    await Promise.all(endpoints.map((endpoint) => of(endpoint).closed))
    listener.close()
  })

  over('every address behind a name is tried', async ({ client, server, messenger }) => {
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    // No host has the loopback address, and one has the other.
    vi.spyOn(dns, 'lookup').mockImplementation((async () => [
      { address: '127.0.0.1', family: 4 },
      { address: server.address, family: 4 },
    ]) as never)
    const named = { host: 'server.example', port: address.port }
    const [near, far] = await Promise.all([connectEndpoint(client, named, messenger), accept()])
    vi.restoreAllMocks()
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
  })

  over('a silent address behind a name costs a head start', async ({ fabric, client, server, messenger }) => {
    const silent = fabric.createHost()
    silent.powerOff()
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    vi.spyOn(dns, 'lookup').mockImplementation((async () => [
      { address: silent.address, family: 4 },
      { address: silent.address, family: 4 },
      { address: server.address, family: 4 },
    ]) as never)
    const named = { host: 'server.example', port: address.port }
    const startedMs = fabric.nowMs
    const connecting = connectWithin(client, named, messenger, { timeoutMs: 2000 })
    const [near, far] = await Promise.all([connecting, accept()])
    vi.restoreAllMocks()
    expect(fabric.nowMs - startedMs).toBeGreaterThanOrEqual(250)
    of(near).send('hello')
    expect(await of(far).messages(1)).toEqual(['hello'])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
    // iWARP cannot call an attempt off before its host is given up.
    await settled(client)
  })

  /** Two hosts behind one name, the first of which is cut off for about as long as its head start. */
  const twins = ({ fabric, client, server, messenger }: Net) => {
    const other = fabric.createHost()
    const one = listenForMessengers(server, server.address, messenger)
    const two = listenForMessengers(other, other.address, messenger)
    expect(two.address.port).toBe(one.address.port)
    vi.spyOn(dns, 'lookup').mockImplementation((async () => [
      { address: server.address, family: 4 },
      { address: other.address, family: 4 },
    ]) as never)
    fabric.partition(client, server)
    client.clock.setTimer(() => fabric.heal(), 250)
    const giveBack = async () => {
      vi.restoreAllMocks()
      await settled(client)
      for (const { listener } of [one, two]) listener.close()
      await settled(server, other)
      expect(Object.values(other.counts).filter((count) => count > 0)).toEqual([])
    }
    return { one, two, named: { host: 'twins.example', port: one.address.port }, giveBack }
  }

  over('of two addresses that answer one is taken, and the other given back', async (net) => {
    const { one, two, named, giveBack } = twins(net)
    const near = await connectEndpoint(net.client, named, net.messenger)
    const far = await (near.remoteAddress.host === net.server.address ? one : two).accept()
    of(near).send('you it is')
    expect(await of(far).messages(1)).toEqual(['you it is'])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    await giveBack()
  })

  over('an abort at any step of a race leaves nothing behind', async (net) => {
    const { fabric, client, messenger } = net
    const { named, giveBack } = twins(net)
    const controller = new AbortController()
    const abortAt = fabric.steps + fabric.random.below(80)
    fabric.onStep = (step) => {
      if (step === abortAt) queueMicrotask(() => controller.abort())
    }
    try {
      const near = await connectWithin(client, named, messenger, { signal: controller.signal })
      near.close()
      await of(near).closed
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_NETTS_ABORTED' })
    }
    await giveBack()
  })

  over(
    'a peer that says anything at all harms nobody else',
    async ({ fabric, client, server, messenger }) => {
      const { listener, accept, address, failures } = listenForMessengers(server, server.address, messenger)
      const bench = { client, server, serverHost: server.address, settle: fabric.settle }
      const anything = (most: number) =>
        Uint8Array.from({ length: fabric.random.below(most + 1) }, () => fabric.random.below(256))
      for (let round = 0; round < 6; round++) {
        const hostile = new End(client, await resolve(bench, address.port))
        const polite = round % 2 === 0
        const greeting = encodeHello(messenger.identity, anything(HELLO_BODY_BYTES))
        // Nonsense in the hello, or a good hello and then nonsense in place of READY.
        hostile.id.connect({ privateData: polite ? greeting : anything(56) })
        const answer = await hostile.events.next()
        expect(answer.type).toBe(polite ? 'established' : 'rejected')
        if (polite) {
          const byteLength = fabric.random.below(100)
          hostile.fill(0, byteLength, round)
          hostile.send({ opcode: SendOpcode.send, entries: [{ region: hostile.region, byteLength }] })
          await hostile.events.expect('disconnected')
        }
        hostile.close()
      }
      await settled(server)
      expect(failures.length).toBe(6)
      const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
      of(near).send('I am all right')
      expect(await of(far).messages(1)).toEqual(['I am all right'])
      near.close()
      await Promise.all([of(near).closed, of(far).closed])
      listener.close()
    },
  )

  over('a silent host runs into the deadline', async ({ fabric, client, server, messenger }) => {
    server.powerOff()
    const address = { host: server.address, port: 7000 }
    const started = fabric.nowMs
    await expect(connectWithin(client, address, messenger, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'ERR_NETTS_TIMEOUT',
    })
    // A hostile schedule starves timers for a while.
    expect(fabric.nowMs - started).toBeGreaterThanOrEqual(500)
    expect(fabric.nowMs - started).toBeLessThan(600)
    await settled(client)
  })

  over('a client without memory fails alone', async ({ client, server, messenger }) => {
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    client.failCall('ibv_reg_mr', 'ENOMEM')
    await expect(connectEndpoint(client, address, messenger)).rejects.toMatchObject({
      code: 'ERR_NETTS_POOL_EXHAUSTED',
      message: expect.stringContaining('RLIMIT_MEMLOCK'),
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

  over('an abort at any step leaves nothing behind', async ({ fabric, client, server, messenger }) => {
    const { listener, address } = listenForMessengers(server, server.address, messenger)
    const controller = new AbortController()
    const abortAt = fabric.random.below(40)
    const start = fabric.steps
    fabric.onStep = (step) => {
      if (step - start === abortAt) queueMicrotask(() => controller.abort())
    }
    const attempt = connectWithin(client, address, messenger, { signal: controller.signal })
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

  // Only few schedules end the stream while a request is being written to it.
  const many = 5 * SEEDS
  over(
    'a peer killed with sends under way ended the connection',
    async ({ fabric, client, server, messenger }) => {
      const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
      const [near] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
      const killStep = fabric.steps + fabric.random.below(6)
      fabric.onStep = (step) => {
        if (step >= killStep) server.kill()
      }
      of(near).send('one')
      of(near).send('two')
      await of(near).closed
      expect(of(near).end?.code).toBe('ERR_NETTS_RESET')
      listener.close()
    },
    many,
  )

  over('a killed peer is noticed', async ({ client, server, messenger }) => {
    const { accept, address } = listenForMessengers(server, server.address, messenger)
    const [near] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    server.kill()
    await of(near).closed
    expect(of(near).end?.code).toBe('ERR_NETTS_RESET')
  })

  over('a peer without power is noticed by its silence', async ({ fabric, client, server, messenger }) => {
    const { accept, address } = listenForMessengers(server, server.address, messenger)
    const [near] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    server.powerOff()
    const started = fabric.nowMs
    await of(near).closed
    expect(of(near).end).toMatchObject({ code: 'ERR_NETTS_PEER_LOST', address })
    expect(fabric.nowMs - started).toBeLessThan(10_000)
  })

  over('a program that blocks loses no peer', async ({ fabric, client, server, messenger }) => {
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    let blocked = 0
    for (const { queuePair } of [near, far]) {
      const postSend = queuePair.postSend.bind(queuePair)
      queuePair.postSend = (...range) => {
        const posted = postSend(...range)
        // The question was posted: longer than it may go unanswered, while the answer comes in.
        if (blocked++ < 6) fabric.block(5000)
        return posted
      }
    }
    while (blocked < 6) await new Promise<void>((resolve) => client.clock.setTimer(resolve, 1000))
    await new Promise<void>((resolve) => client.clock.setTimer(resolve, 5000))
    of(near).send('still here')
    expect(await of(far).messages(1)).toEqual(['still here'])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
  })

  over('a program that blocks at any step of a handshake connects', async (net) => {
    const { fabric, client, server, messenger } = net
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    const blockAt = fabric.steps + fabric.random.below(40)
    fabric.onStep = (step) => {
      // Longer than the deadlines of both.
      if (step === blockAt) fabric.block(12_000)
    }
    const connecting = connectWithin(client, address, messenger, { timeoutMs: 500 })
    const [near, far] = await Promise.all([connecting, accept()])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
  })

  over('a link that is gone for 2 s loses nothing', async ({ fabric, client, server, messenger }) => {
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    fabric.partition(client, server)
    client.clock.setTimer(() => fabric.heal(), 2000)
    of(near).send('still there?')
    expect(await of(far).messages(1)).toEqual(['still there?'])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
  })

  over("what happens to a program's own objects ends no other connection", async (net) => {
    const { fabric, client, server, messenger } = net
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    const bench = { client, server, serverHost: server.address, settle: fabric.settle }
    const protectionDomain = server.devices()[0]!.allocateProtectionDomain()
    const sharedReceiveQueue = protectionDomain.createSharedReceiveQueue({ maxWorkRequests: 4 })
    for (let slot = 0; slot < 3; slot++) writeReceive(sharedReceiveQueue, slot, {})
    sharedReceiveQueue.postReceive(3)
    sharedReceiveQueue.setLimit(2)
    const own = await connectPair(bench, {
      server: { protectionDomain, queuePair: { sharedReceiveQueue } },
    })
    const send = { opcode: SendOpcode.send, flags: SendFlag.signalled }
    own.client.send(send, send)
    await own.server.completions.succeed(2)
    // A wrong key, on a queue pair that may be gone by the time the device reports it.
    own.client.send({
      ...send,
      opcode: SendOpcode.write,
      entries: [{ region: own.client.region, byteLength: 8 }],
      remoteAddress: own.server.region.remoteAddress,
      remoteKey: 1,
    })
    while (own.server.queuePair.state !== 'error') {
      await new Promise<void>((resolve) => server.clock.setTimer(resolve, 1))
    }
    own.close()
    sharedReceiveQueue.close()
    protectionDomain.close()
    await new Promise<void>((resolve) => server.clock.setTimer(resolve, 100))
    of(near).send('not my business')
    expect(await of(far).messages(1)).toEqual(['not my business'])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
  })

  over('verbs that are closed underneath end their connections', async ({ client, server, messenger }) => {
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    client.close()
    await Promise.all([of(near).closed, of(far).closed])
    expect(of(near).end?.code).toBe('ERR_NETTS_RESET')
    expect(of(far).end?.code).toBe('ERR_NETTS_RESET')
    listener.close()
  })

  over('a removed device ends its connections', async ({ client, server, messenger }) => {
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    client.removeDevice()
    await of(near).closed
    expect(of(near).end).toBeDefined()
    far.close()
    await of(far).closed
    listener.close()
  })

  over('a device that goes and comes back can be used again', async ({ client, server, messenger }) => {
    const { listener, accept, address } = listenForMessengers(server, server.address, messenger)
    const [device] = client.devices()
    const [first, atFirst] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    client.removeDevice()
    await of(first).closed
    atFirst.close()
    await of(atFirst).closed
    expect(client.devices()).toEqual([])
    expect(client.pinnedBytes).toBe(0)
    await expect(connectEndpoint(client, address, messenger)).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
    })
    client.restoreDevice()
    expect(client.devices()[0]).not.toBe(device)
    const [near, far] = await Promise.all([connectEndpoint(client, address, messenger), accept()])
    of(near).send('back again')
    expect(await of(far).messages(1)).toEqual(['back again'])
    near.close()
    await Promise.all([of(near).closed, of(far).closed])
    listener.close()
  })
})
