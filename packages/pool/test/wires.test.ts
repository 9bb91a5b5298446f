/** Wires in order of preference, over simulated RDMA and real TCP: the right wire, the right reason, nothing left behind. */
import {
  type ConnectionListener,
  connect,
  listen,
  preferring,
  type TransportBuilder,
  wireOf,
} from '@netts/core'
import { sendRecv, sendRecvOver } from '@netts/rdma-sendrecv'
import { tcp } from '@netts/tcp'
import { rdmaAvailability } from '@netts/verbs'
import { createSimulatedFabric, type SimulatedHost } from '@netts/verbs/simulated'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createPool, type PoolEvent } from '../src/index.js'
import { deadAddress } from './echo-server.js'

const NAME = 'rdma-sendrecv'
const ANY_PORT = { host: '127.0.0.1', port: 0 }

/** Two machines on an RDMA network, whose TCP is this machine's. */
function machines() {
  const fabric = createSimulatedFabric({ mode: 'roce', drive: 'auto' })
  const client = fabric.createHost({ name: 'client' })
  const server = fabric.createHost({ name: 'server' })
  return { fabric, client, server }
}

/** Echoes on every wire, until the test is over. */
async function serve(builder: TransportBuilder): Promise<ConnectionListener> {
  const listener = await listen(builder, ANY_PORT)
  const accept = async () => {
    for await (const connection of listener) {
      const echo = async () => {
        for await (const message of connection) await connection.send(message)
      }
      echo().catch(() => {})
    }
  }
  accept().catch(() => {})
  onTestFinished(async () => {
    await listener.close()
    for (const connection of listener.connections) connection.destroy()
  })
  return listener
}

/** Waits until a host has no queue pair: the end of a connection takes some packets. */
async function untilGone(host: SimulatedHost): Promise<void> {
  await vi.waitFor(() => expect(host.counts.queuePairs).toBe(0), { interval: 1, timeout: 10_000 })
}

/** RDMA where the server is, and TCP. */
function wires(client: SimulatedHost, address: { host: string; port: number }) {
  return preferring({ builder: sendRecvOver({ verbs: client }), address }, tcp())
}

/** A service on both wires of a machine. */
async function serveBoth(server: SimulatedHost) {
  const listener = await serve(
    preferring(
      { builder: sendRecvOver({ verbs: server }), address: { host: server.address, port: 0 } },
      tcp(),
    ),
  )
  const [rdma, plain] = listener.addresses as { address: { host: string; port: number }; wire: string }[]
  return { listener, rdma: rdma!, plain: plain! }
}

describe('preferring RDMA', () => {
  it('uses it where it is, and both wires are served by one listener', async () => {
    const { client, server } = machines()
    const { listener, rdma, plain } = await serveBoth(server)
    expect([rdma.wire, plain.wire]).toEqual([NAME, 'tcp'])
    const fast = await connect(wires(client, rdma.address), plain.address)
    const slow = await connect(tcp(), plain.address)
    for (const connection of [fast, slow]) {
      await connection.send(Buffer.from('hello'))
      expect(String(await connection.recv())).toBe('hello')
    }
    expect(wireOf(fast.transport)).toBe(NAME)
    expect([...listener.connections].map(({ transport }) => wireOf(transport)).sort()).toEqual([NAME, 'tcp'])
    await Promise.all([fast.close(), slow.close()])
    await Promise.all([untilGone(client), untilGone(server)])
  })

  it('falls to TCP when nobody listens for it', async () => {
    const { client, server } = machines()
    const { plain } = await serveBoth(server)
    const builder = wires(client, { host: server.address, port: 9 })
    const connection = await connect(builder, plain.address)
    expect(wireOf(connection.transport)).toBe('tcp')
    expect(builder.fallbacks[0]!.counts).toMatchObject({ ERR_NETTS_CONNECT_FAILED: 1 })
    await connection.close()
  })

  it('falls to TCP within the deadline when RDMA swallows everything, and leaves nothing of it', async () => {
    const { fabric, client, server } = machines()
    const { plain } = await serveBoth(server)
    const silent = fabric.createHost({ name: 'silent' })
    silent.powerOff()
    const builder = wires(client, { host: silent.address, port: 4711 })
    const connection = await connect(builder, plain.address, { timeoutMs: 1000 })
    expect(wireOf(connection.transport)).toBe('tcp')
    expect(Object.values(builder.fallbacks[0]!.counts)).toEqual([1])
    await untilGone(client)
    await connection.close()
  })

  it('falls to TCP at whichever moment of the handshake the other side dies, and leaves nothing of it', async () => {
    const reasons = new Set<string>()
    const used = new Set<string | undefined>()
    for (let moment = 0; moment < 40; moment++) {
      const { fabric, client, server } = machines()
      const { rdma, plain } = await serveBoth(server)
      const first = fabric.steps
      fabric.onStep = (step) => {
        if (step - first >= moment && !server.dead) server.kill()
      }
      const builder = wires(client, rdma.address)
      const connection = await connect(builder, plain.address, { timeoutMs: 2000 })
      const wire = wireOf(connection.transport)
      used.add(wire)
      if (wire === 'tcp') for (const code of Object.keys(builder.fallbacks[0]!.counts)) reasons.add(code)
      connection.destroy()
      await untilGone(client)
    }
    expect(used).toContain('tcp')
    expect([...reasons].every((code) => code.startsWith('ERR_NETTS_'))).toBe(true)
  })

  it('leaves nothing at either side at whichever moment it is aborted', async () => {
    for (let moment = 0; moment < 30; moment++) {
      const { fabric, client, server } = machines()
      const { listener, rdma, plain } = await serveBoth(server)
      const abort = new AbortController()
      const first = fabric.steps
      fabric.onStep = (step) => {
        if (step - first >= moment) abort.abort()
      }
      const connecting = connect(wires(client, rdma.address), plain.address, { signal: abort.signal })
      const outcome = await connecting.catch((error: { code: string }) => error)
      if ('code' in outcome) expect(outcome.code).toBe('ERR_NETTS_ABORTED')
      else outcome.destroy()
      await untilGone(client)
      // A connection that the server has accepted meanwhile, the ghost of an aborted one, ends there too.
      await Promise.all([...listener.connections].map(({ closed }) => closed))
      await untilGone(server)
    }
  })

  it.skipIf(rdmaAvailability().available)(
    'falls to TCP on a machine without RDMA, for which it listens as well',
    async () => {
      const builder = preferring(sendRecv(), tcp())
      const listener = await serve(builder)
      expect(listener.addresses.map(({ wire }) => wire)).toEqual(['tcp'])
      const connection = await connect(builder, listener.address)
      expect(wireOf(connection.transport)).toBe('tcp')
      expect(builder.fallbacks).toEqual([
        { wire: NAME, counts: { ERR_NETTS_UNAVAILABLE: 2 } },
        { wire: 'tcp', counts: {} },
      ])
      await connection.close()
    },
  )
})

/** A builder whose RDMA goes to an address of its own, as machines with a network for storage have. */
function at(builder: TransportBuilder, address: { host: string; port: number }): TransportBuilder {
  return { ...builder, connect: (_address, options) => builder.connect(address, options) }
}

describe('a pool that prefers RDMA', () => {
  it('stays on TCP for a while after a fall, and comes back to RDMA', async () => {
    const { client, server } = machines()
    const { rdma, plain } = await serveBoth(server)
    const target = { host: server.address, port: 9 }
    const over = sendRecvOver({ verbs: client })
    let asked = 0
    const counting: TransportBuilder = {
      ...over,
      connect: (_address, options) => {
        asked++
        return over.connect(target, options)
      },
    }
    const events: PoolEvent[] = []
    await using pool = createPool({
      builder: [counting, tcp()],
      endpoints: [plain.address],
      wireRetryMs: 300,
      onEvent: (event) => events.push(event),
    })
    const three = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    expect(three.map(({ wire }) => wire)).toEqual(['tcp', 'tcp', 'tcp'])
    expect(events.filter(({ type }) => type === 'fallback')).toMatchObject([
      { wire: 'tcp', preferred: NAME, retryAfterMs: 300 },
    ])
    const askedAtFirst = asked
    for (const connection of three) await connection.close()
    const again = await pool.acquire()
    expect([again.wire, asked]).toEqual(['tcp', askedAtFirst])
    await again.close()
    // RDMA is back.
    target.port = rdma.address.port
    await new Promise((resolve) => setTimeout(resolve, 350))
    const back = await pool.acquire()
    expect(back.wire).toBe(NAME)
    await back.send(Buffer.from('over RDMA'))
    expect(String(await back.recv())).toBe('over RDMA')
    expect(pool.stats.endpoints[0]!.wires).toEqual({ [NAME]: 1 })
    back.release()
  })

  it('falls between two wires of one name, too', async () => {
    const listener = await serve(tcp())
    let asked = 0
    const dead = await deadAddress()
    const first: TransportBuilder = {
      ...tcp(),
      connect: (_address, options) => {
        asked++
        return tcp().connect(dead, options)
      },
    }
    const events: PoolEvent[] = []
    await using pool = createPool({
      builder: [first, tcp()],
      endpoints: [listener.address],
      onEvent: (event) => events.push(event),
    })
    const one = await pool.acquire()
    const two = await pool.acquire()
    expect([one.wire, two.wire, asked]).toEqual(['tcp#2', 'tcp#2', 1])
    expect(events.filter(({ type }) => type === 'fallback')).toMatchObject([
      { wire: 'tcp#2', preferred: 'tcp' },
    ])
    expect(pool.stats.endpoints[0]!.wires).toEqual({ 'tcp#2': 2 })
    one.release()
    two.release()
  })

  it('fails with the reason of RDMA when that is required', async () => {
    const { client, server } = machines()
    const { plain } = await serveBoth(server)
    const required = at(sendRecvOver({ verbs: client }), { host: server.address, port: 9 })
    await using pool = createPool({
      builder: [required, tcp()],
      wire: 'require',
      endpoints: [plain.address],
      exhausted: 'fail',
    })
    await expect(pool.acquire()).rejects.toMatchObject({
      code: 'ERR_NETTS_CONNECT_FAILED',
      cause: { code: 'ERR_NETTS_CONNECT_FAILED', address: { host: server.address, port: 9 } },
    })
  })

  it('names what became of each wire when none can be had', async () => {
    const { client, server } = machines()
    const refused = at(sendRecvOver({ verbs: client }), { host: server.address, port: 9 })
    await using pool = createPool({
      builder: [refused, tcp()],
      endpoints: [await deadAddress()],
      exhausted: 'fail',
    })
    await expect(pool.acquire()).rejects.toMatchObject({
      cause: {
        message: expect.stringMatching(/^connecting failed over every wire: rdma-sendrecv: .*; tcp: .*/),
      },
    })
  })
})
