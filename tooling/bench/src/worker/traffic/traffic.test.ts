import { expect, test } from 'vitest'
import { type Channel, type ChannelContender, ChannelEvents, type Wire } from '../../contenders/contender.js'
import type { SideName } from '../../run/protocol.js'
import type { RunSpec } from '../../spec.js'
import { makeSide } from './index.js'

type Meddle = (payload: Uint8Array, index: number) => Uint8Array | undefined

/** Two ends in memory. @param meddle changes what goes from this end to the other, or drops it */
function memoryWire(meddle: Meddle, from: SideName = 'client'): Wire {
  class End extends ChannelEvents implements Channel {
    peer: End | undefined
    sent = 0
    constructor(readonly side: SideName) {
      super()
    }
    send(payload: Uint8Array): boolean {
      const bytes = this.side === from ? meddle(payload, this.sent++) : payload
      setImmediate(() => {
        if (bytes) this.peer?.onReceive(bytes, 0, bytes.length)
        this.onDrain()
      })
      return false
    }
    echo(chunk: Uint8Array, byteOffset: number, byteLength: number): void {
      this.send(chunk.slice(byteOffset, byteOffset + byteLength))
    }
    async close(): Promise<void> {}
  }
  let accept: (channel: Channel) => void = () => {}
  return {
    listen: async (_options, accepting) => {
      accept = accepting
      return { endpoints: [{ url: 'memory' }], close: async () => {} }
    },
    connect: async () => {
      const [client, server] = [new End('client'), new End('server')]
      client.peer = server
      server.peer = client
      accept(server)
      return client
    },
  }
}

function sidesOf(traffic: RunSpec['traffic'], wire: Wire) {
  const failures: Error[] = []
  const contender: ChannelContender = {
    id: 'memory',
    title: 'memory',
    about: '',
    delivers: 'messages',
    processes: 1,
    load: async () => wire,
  }
  const spec: RunSpec = {
    contender: 'memory',
    traffic,
    byteLength: 64,
    connections: 3,
    ratePerSecond: 10_000,
    host: '127.0.0.1',
  }
  const context = { spec, contender, wire, fail: (error: Error) => failures.push(error) }
  return { failures, server: makeSide('server', context), client: makeSide('client', context) }
}

async function run(traffic: RunSpec['traffic'], meddle: Meddle) {
  const { failures, server, client } = sidesOf(traffic, memoryWire(meddle))
  const endpoints = await server.open([])
  await client.open(endpoints)
  await client.start()
  await Promise.all([server.begin(), client.begin()])
  await new Promise((resolve) => setTimeout(resolve, 30))
  const samples = await Promise.all([server.end(), client.end()])
  const settle = async (timeoutMs?: number) => server.settle(await client.stop(), timeoutMs)
  return { failures, samples, settle }
}

test.each(['closed-loop', 'flood', 'open-loop', 'churn'] as const)(
  '%s counts on both sides what was sent, and the totals agree',
  async (traffic) => {
    const { failures, samples, settle } = await run(traffic, (payload) => payload)
    await settle()
    expect(failures).toEqual([])
    for (const { payloads, elapsedMs } of samples) {
      expect(payloads).toBeGreaterThan(0)
      expect(elapsedMs).toBeGreaterThan(0)
    }
    expect(samples[1].latency === undefined).toBe(traffic === 'flood')
  },
)

test.each(['closed-loop', 'flood', 'open-loop'] as const)('%s fails on one wrong byte', async (traffic) => {
  const { failures } = await run(traffic, (payload, index) => {
    const copy = Buffer.from(payload)
    if (index === 3) copy[17]! ^= 1
    return copy
  })
  expect(failures[0]?.name).toBe('VerificationError')
})

test('a flood that loses its last payload fails when the totals are compared', async () => {
  let lost = false
  const { failures, settle } = await run('flood', (payload) => (lost ? undefined : payload))
  expect(failures).toEqual([])
  lost = true
  await new Promise((resolve) => setTimeout(resolve, 5))
  await expect(settle(50)).rejects.toThrow(/were sent and/)
})

/** As the conductor does it: the window is open around the start. */
async function beginBroadcast(meddle: Meddle) {
  const { failures, server, client } = sidesOf('broadcast', memoryWire(meddle, 'server'))
  await client.open(await server.open([]))
  await Promise.all([server.begin(), client.begin()])
  await server.start()
  return { failures, server, client }
}

test('a broadcast sends one message to each connection within the window, and what it keeps for them shows', async () => {
  const KEPT_BYTES = 16 << 20
  const kept: Buffer[] = []
  const { failures, server, client } = await beginBroadcast((payload) => {
    kept.push(Buffer.alloc(KEPT_BYTES))
    return payload
  })
  await client.start()
  const samples = await Promise.all([server.end(), client.end()])
  await server.settle(await client.stop())
  expect(failures).toEqual([])
  expect(samples.map(({ payloads }) => payloads)).toEqual([0, 3])
  // One more connection had its message before. The process of the test may give back a little meanwhile.
  expect(kept.length).toBe(4)
  for (const { externalGrowthBytes } of samples) {
    expect(externalGrowthBytes).toBeGreaterThan(2 * KEPT_BYTES)
    expect(externalGrowthBytes).toBeLessThan(4 * KEPT_BYTES)
  }
})

test('a broadcast fails on one wrong byte', async () => {
  let count = 0
  const { failures } = await beginBroadcast((payload) => {
    const copy = Buffer.from(payload)
    if (count++ === 2) copy[17]! ^= 1
    return copy
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(failures[0]?.message).toContain('differs from variant 0')
})

test('a broadcast of which a message is lost fails when the client counts', async () => {
  let count = 0
  const { client } = await beginBroadcast((payload) => (count++ === 2 ? undefined : payload))
  await expect(client.settle(await client.stop(), 50)).rejects.toThrow('4 payloads were sent and 3 received')
})
