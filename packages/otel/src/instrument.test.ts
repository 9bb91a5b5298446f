/** What the metrics and spans say is what the connections did. */
import { connect, formatAddress, isNettsError, listen, preferring } from '@netts/core'
import { createMockNetwork } from '@netts/mock'
import { createPool } from '@netts/pool'
import { tcp } from '@netts/tcp'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Instrumentation, instrument } from './instrument.js'

const anyPort = { host: '127.0.0.1', port: 0 }

let exporter: InMemoryMetricExporter
let meterProvider: MeterProvider
let spans: InMemorySpanExporter
let instrumentation: Instrumentation
beforeEach(() => {
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  meterProvider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  })
  spans = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  instrumentation = instrument({ meterProvider, tracerProvider })
})
afterEach(async () => {
  instrumentation[Symbol.dispose]()
  await meterProvider.shutdown()
})

/** All points of a metric, by what is left of their attributes. */
async function points(name: string): Promise<{ value: unknown; attributes: Record<string, unknown> }[]> {
  exporter.reset()
  await meterProvider.forceFlush()
  const metrics = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  return metrics
    .filter(({ descriptor }) => descriptor.name === name)
    .flatMap(({ dataPoints }) => dataPoints.map(({ value, attributes }) => ({ value, attributes })))
}

/** The value of the one point with these attributes. */
async function value(name: string, attributes: Record<string, unknown>): Promise<unknown> {
  const found = (await points(name)).filter((point) =>
    Object.entries(attributes).every(([key, wanted]) => point.attributes[key] === wanted),
  )
  expect(found).toHaveLength(1)
  return found[0]!.value
}

async function pairOver(builder = tcp()) {
  const listener = await listen(builder, anyPort)
  const client = await connect(builder, listener.address)
  const server = (await listener.accept())!
  return { listener, client, server }
}

describe('metrics', () => {
  it('count messages and bytes of open and closed connections, by direction and role', async () => {
    const one = await pairOver()
    await one.client.send(Buffer.alloc(10))
    await one.server.recv()
    const other = await pairOver()
    await other.client.send(Buffer.alloc(200_000))
    await other.server.recv()
    await other.client.close()
    await other.server.close()

    const wire = { 'netts.wire': 'tcp', 'network.transport': 'tcp' }
    const client = { ...wire, 'netts.connection.role': 'client' }
    const server = { ...wire, 'netts.connection.role': 'server' }
    expect(await value('netts.io', { ...client, 'network.io.direction': 'transmit' })).toBe(200_010)
    expect(await value('netts.io', { ...server, 'network.io.direction': 'receive' })).toBe(200_010)
    expect(await value('netts.io', { ...server, 'network.io.direction': 'transmit' })).toBe(0)
    expect(await value('netts.message.count', { ...client, 'network.io.direction': 'transmit' })).toBe(2)
    expect(await value('netts.connection.count', client)).toBe(1)
    expect(await value('netts.connection.duration', client)).toMatchObject({ count: 1 })
    expect(await value('netts.connect.duration', wire)).toMatchObject({ count: 2 })
    one.client.destroy()
    await Promise.all([one.client.closed, one.server.closed])
    expect(await value('netts.connection.count', client)).toBe(0)
    await Promise.all([one.listener.close(), other.listener.close()])
  })

  it('tell what ended a connection, and why one could not be made', async () => {
    const { client, server, listener } = await pairOver()
    client.destroy()
    await Promise.all([client.closed, server.closed])
    await listener.close()
    await connect(tcp(), listener.address).catch(() => {})
    const ended = { 'netts.connection.role': 'client', 'error.type': 'ERR_NETTS_DESTROYED' }
    expect(await value('netts.connection.duration', ended)).toMatchObject({ count: 1 })
    const refused = { 'error.type': 'ERR_NETTS_CONNECT_FAILED' }
    expect(await value('netts.connect.duration', refused)).toMatchObject({ count: 1 })
  })

  it('name the wire that a preference ended with, and count the falls', async () => {
    const listener = await listen(tcp(), anyPort)
    const absent = createMockNetwork().builder()
    const client = await connect(preferring(absent, tcp()), listener.address)
    expect(await value('netts.connection.count', { 'netts.connection.role': 'client' })).toBe(1)
    const [fall] = await points('netts.wire.fallback.count')
    expect(fall).toMatchObject({ value: 1, attributes: { 'error.type': 'ERR_NETTS_CONNECT_FAILED' } })
    expect(
      await value('netts.message.count', { 'netts.wire': 'tcp', 'network.io.direction': 'transmit' }),
    ).toBe(0)
    client.destroy()
    await listener.close()
  })

  it('of a pool say what its connections do, until it is observed no more', async () => {
    const listener = await listen(tcp(), anyPort)
    const pool = createPool({ name: 'replicas', builder: tcp(), endpoints: [listener.address], max: 2 })
    const observation = instrumentation.observePool('replicas', pool)
    const lent = await pool.acquire()
    const of = (state: string) => ({ 'netts.pool.name': 'replicas', 'netts.pool.connection.state': state })
    expect(await value('netts.pool.connection.count', of('used'))).toBe(1)
    lent.release()
    expect(await value('netts.pool.connection.count', of('idle'))).toBe(1)
    expect(await value('netts.pool.acquire.count', { 'netts.pool.acquire.outcome': 'lent' })).toBe(1)
    expect(await value('netts.pool.endpoint.count', { 'netts.pool.breaker.state': 'closed' })).toBe(1)
    expect(await value('netts.pool.event.count', { 'netts.pool.event': 'connect' })).toBe(1)
    observation[Symbol.dispose]()
    // The SDK goes on to report what it was told last.
    await pool.close()
    expect(await value('netts.pool.connection.count', of('idle'))).toBe(1)
    await listener.close()
  })

  it('of a pool never fall when an endpoint leaves it, or comes back', async () => {
    const one = await listen(tcp(), anyPort)
    const other = await listen(tcp(), anyPort)
    let change: (addresses: (typeof one.address)[]) => void = () => {}
    async function* endpoints() {
      let next = [one.address]
      for (;;) {
        yield next
        next = await new Promise<typeof next>((resolve) => {
          change = resolve
        })
      }
    }
    const pool = createPool({ builder: tcp(), endpoints: endpoints() })
    instrumentation.observePool('moving', pool)
    const lent = () =>
      value('netts.pool.acquire.count', {
        'netts.pool.name': 'moving',
        'netts.pool.acquire.outcome': 'lent',
      })
    const moveTo = async (address: typeof one.address) => {
      change([address])
      const isThere = () =>
        pool.endpoints.map((one) => formatAddress(one.address)).join() === formatAddress(address)
      while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await pool.use(async () => {})
    await pool.use(async () => {})
    expect(await lent()).toBe(2)
    await moveTo(other.address)
    expect(await lent()).toBe(2)
    await pool.use(async () => {})
    expect(await lent()).toBe(3)
    await moveTo(one.address)
    expect(await lent()).toBe(3)
    await pool.close()
    await one.close()
    await other.close()
  })

  it('count nothing after the end, and keep no connection', async () => {
    const { client, server, listener } = await pairOver()
    instrumentation[Symbol.dispose]()
    await client.send(Buffer.alloc(10))
    expect(await points('netts.io')).toEqual([])
    client.destroy()
    server.destroy()
    await listener.close()
  })
})

describe('spans', () => {
  it('are one of each attempt, and one of each life with what it carried', async () => {
    const { client, server, listener } = await pairOver()
    await client.send(Buffer.alloc(10))
    await server.recv()
    await Promise.all([client.close(), server.close()])
    const finished = spans.getFinishedSpans()
    expect(finished.map(({ name, kind }) => [name, kind])).toEqual([
      ['netts connect', SpanKind.CLIENT],
      ['netts connection', expect.anything()],
      ['netts connection', expect.anything()],
    ])
    const { port } = listener.address as { port: number }
    expect(finished[0]!.attributes).toMatchObject({
      'server.address': '127.0.0.1',
      'server.port': port,
      'network.transport': 'tcp',
      'network.peer.port': port,
      'netts.wire': 'tcp',
    })
    const life = finished.find(({ attributes }) => attributes['netts.connection.role'] === 'server')!
    expect(life).toMatchObject({
      kind: SpanKind.SERVER,
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'netts.messages_received': 1, 'netts.bytes_received': 10 },
    })
    await listener.close()
  })

  it('have the error', async () => {
    const error = await connect(tcp(), { host: '127.0.0.1', port: 1 }).catch((reason: unknown) => reason)
    expect(isNettsError(error)).toBe(true)
    const [attempt] = spans.getFinishedSpans()
    expect(attempt).toMatchObject({
      status: { code: SpanStatusCode.ERROR, message: (error as Error).message },
      attributes: { 'error.type': 'ERR_NETTS_CONNECT_FAILED', 'server.port': 1 },
      events: [{ name: 'exception' }],
    })
  })
})
