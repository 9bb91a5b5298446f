import { expect, test } from 'vitest'
import { type Channel, type ChannelContender, ChannelEvents, type Wire } from '../../contenders/contender.js'
import type { RunSpec } from '../../spec.js'
import { makeSide } from './index.js'

/** Two ends in memory. @param meddle changes what goes from the client to the server, or drops it */
function memoryWire(meddle: (payload: Uint8Array, index: number) => Uint8Array | undefined): Wire {
  class End extends ChannelEvents implements Channel {
    peer: End | undefined
    sent = 0
    constructor(readonly isClient: boolean) {
      super()
    }
    send(payload: Uint8Array): boolean {
      const bytes = this.isClient ? meddle(payload, this.sent++) : payload
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
      const [client, server] = [new End(true), new End(false)]
      client.peer = server
      server.peer = client
      accept(server)
      return client
    },
  }
}

async function run(traffic: RunSpec['traffic'], meddle: Parameters<typeof memoryWire>[0]) {
  const failures: Error[] = []
  const contender: ChannelContender = {
    id: 'memory',
    title: 'memory',
    about: '',
    delivers: 'messages',
    processes: 1,
    load: async () => wire,
  }
  const wire = memoryWire(meddle)
  const spec: RunSpec = {
    contender: 'memory',
    traffic,
    byteLength: 64,
    connections: 3,
    ratePerSecond: 10_000,
    host: '127.0.0.1',
  }
  const context = { spec, contender, wire, fail: (error: Error) => failures.push(error) }
  const [server, client] = [makeSide('server', context), makeSide('client', context)]
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
