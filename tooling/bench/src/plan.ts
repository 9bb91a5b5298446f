/** What is measured: the scenarios, their points, and the figures taken from each run. */
import type { Histogram } from 'hdr-histogram-js'
import { loopbackScenarios } from './loopback-scenarios.js'
import type { RunSample } from './run/conductor.js'
import {
  bandwidth,
  counts,
  cpuClient,
  cpuServer,
  KIB,
  MIB,
  mean,
  type Point,
  p50,
  p99,
  p999,
  rate,
  rates,
  type Scenario,
  sizes,
} from './scenario.js'

export const scenarios: readonly Scenario[] = [
  {
    id: 'round-trip',
    title: 'Round trip',
    question: 'How long does one request take, there and back, when nothing else is going on?',
    traffic: 'closed-loop',
    quick: sizes(1, 64),
    full: sizes(1, 64, KIB, 4 * KIB, 64 * KIB, MIB),
    lab: sizes(1, 64),
    metrics: [p50, p99, p999, mean, rate, cpuClient, cpuServer],
  },
  {
    id: 'throughput',
    title: 'One way',
    question: 'How much goes through one connection?',
    traffic: 'flood',
    quick: sizes(1, 64, MIB),
    full: sizes(1, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB),
    lab: sizes(1, 64, 64 * KIB),
    metrics: [rate, bandwidth, cpuClient, cpuServer],
  },
  {
    id: 'throughput-64',
    title: 'One way, many connections',
    question: 'How much goes through many connections at once?',
    traffic: 'flood',
    quick: sizes(64, 64),
    full: sizes(64, 64, 4 * KIB, 64 * KIB),
    lab: sizes(16, 64),
    metrics: [rate, bandwidth, cpuClient, cpuServer],
  },
  {
    id: 'offered-load',
    title: 'Latency under offered load',
    question: 'How long does a message take, from the moment it was due, at a given load?',
    traffic: 'open-loop',
    quick: rates(64, 50_000),
    full: rates(64, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 400_000),
    metrics: [p50, p99, p999, rate, cpuClient, cpuServer],
  },
  {
    id: 'scaling',
    title: 'Scaling',
    question: 'What do many connections, one request on its way on each, get through in all?',
    traffic: 'closed-loop',
    quick: counts(64, 100),
    full: counts(64, 1, 10, 100, 1000),
    metrics: [rate, p50, p99, cpuClient, cpuServer],
  },
  {
    id: 'allocation',
    title: 'Heap allocated a message',
    question: 'How much work does each message leave to the garbage collector?',
    traffic: 'flood',
    observe: 'heap',
    quick: sizes(1, 64),
    full: sizes(1, 64, 4 * KIB),
    rounds: 0.6,
    metrics: [
      { id: 'heapClient', title: 'sender', unit: 'B', better: 'lower' },
      { id: 'heapServer', title: 'receiver', unit: 'B', better: 'lower' },
    ],
  },
  {
    id: 'addon',
    title: 'Crossing into the addon',
    question:
      'What do one work request and one completion of @netts/verbs cost, beyond what the same calls cost in C?',
    traffic: 'addon',
    only: ['verbs'],
    quick: [{ byteLength: 64, connections: 1, batch: 32 }],
    full: [1, 8, 32].map((batch) => ({ byteLength: 64, connections: 1, batch })),
    metrics: [
      { id: 'post', title: 'post', unit: 'ns', better: 'lower' },
      { id: 'poll', title: 'poll', unit: 'ns', better: 'lower' },
      { id: 'writeAndPost', title: 'write the record and post', unit: 'ns', better: 'lower' },
      { id: 'pollAndRead', title: 'poll and read the record', unit: 'ns', better: 'lower' },
    ],
  },
  {
    id: 'pool',
    title: 'Borrowing from a pool',
    question:
      'What processor time does it take to borrow an idle connection and to give it back, without signals or stacks?',
    traffic: 'pool',
    only: ['pool', 'pool-three', 'undici', 'generic-pool', 'tarn'],
    baseline: 'pool',
    quick: [{ byteLength: 0, connections: 4 }],
    full: [{ byteLength: 0, connections: 4 }],
    metrics: [
      { id: 'cycle', title: 'CPU', unit: 'ns', better: 'lower' },
      { id: 'cycles', title: 'borrowed', unit: '/s', better: 'higher' },
    ],
  },
  {
    id: 'lateness',
    title: 'Timers while saturated',
    question: 'How late do timers of the same process come while one connection runs at its limit?',
    traffic: 'flood',
    observe: 'lateness',
    quick: sizes(1, 64),
    full: sizes(1, 64, 64 * KIB),
    rounds: 0.6,
    metrics: [
      { id: 'lateServerP99', title: 'receiver p99', unit: 'ns', better: 'lower' },
      { id: 'lateServerP50', title: 'receiver p50', unit: 'ns', better: 'lower' },
      { id: 'lateServerMax', title: 'receiver max', unit: 'ns', better: 'lower' },
      { id: 'lateClientP99', title: 'sender p99', unit: 'ns', better: 'lower' },
      { id: 'lateClientMax', title: 'sender max', unit: 'ns', better: 'lower' },
    ],
  },
  {
    id: 'churn',
    title: 'Connect and close',
    question: 'How many connections a second can be made, used once and closed?',
    traffic: 'churn',
    quick: counts(64, 1),
    full: counts(64, 1, 16),
    rounds: 0.6,
    metrics: [rate, p50, p99, cpuClient, cpuServer],
  },
  {
    id: 'broadcast',
    title: 'Memory after a broadcast',
    question:
      'What does one message to each of many idle connections leave behind in memory, for each of them?',
    traffic: 'broadcast',
    quick: counts(64, 1000),
    full: counts(64, 1000),
    rounds: 0.3,
    metrics: [
      { id: 'rssServer', title: 'RSS a connection, sender', unit: 'B', better: 'lower', comparable: false },
      { id: 'externalServer', title: 'buffers, sender', unit: 'B', better: 'lower' },
      { id: 'rssClient', title: 'RSS a connection, receiver', unit: 'B', better: 'lower' },
      { id: 'externalClient', title: 'buffers, receiver', unit: 'B', better: 'lower' },
    ],
  },
  {
    id: 'idle',
    title: 'Idle connections',
    question: 'What does a connection cost in memory while nothing happens on it?',
    traffic: 'idle',
    quick: counts(64, 5000),
    full: counts(64, 5000),
    lab: counts(64, 64),
    rounds: 0.3,
    metrics: [
      { id: 'rssServer', title: 'RSS a connection, server', unit: 'B', better: 'lower' },
      { id: 'rssClient', title: 'RSS a connection, client', unit: 'B', better: 'lower' },
      { id: 'pinnedServer', title: 'pinned, server', unit: 'B', better: 'lower' },
      { id: 'pinnedClient', title: 'pinned, client', unit: 'B', better: 'lower' },
    ],
  },
  ...loopbackScenarios,
]

/** Whether a contender takes part in a scenario. */
export function takesPart(contender: string, { only }: Scenario): boolean {
  return only ? only.includes(contender) : !scenarios.some((other) => other.only?.includes(contender))
}

/** Names a point within its scenario. */
export function pointLabel(scenario: Scenario, point: Point): string {
  const { byteLength, connections, ratePerSecond, batch, active = connections } = point
  if (batch) return batch === 1 ? 'one at a time' : `batches of ${batch}`
  if (scenario.traffic === 'idle' || scenario.traffic === 'quiet') return `${connections} connections`
  if (scenario.traffic === 'pool') return `${connections} idle connections`
  const parts = [formatSize(byteLength)]
  if (connections > 1) parts.push(`${connections} connections`)
  if (active < connections) parts.push(`${active} in use`)
  if (ratePerSecond) parts.push(`${ratePerSecond / 1000} k/s offered`)
  return parts.join(', ')
}

/** 64 B, 4 KiB, 1 MiB. */
export function formatSize(byteLength: number): string {
  if (byteLength >= MIB) return `${byteLength / MIB} MiB`
  return byteLength >= KIB ? `${byteLength / KIB} KiB` : `${byteLength} B`
}

/** Raw figures of one run, by metric. */
export function figures(
  scenario: Scenario,
  point: Point,
  { server, client }: RunSample,
  decode: (encoded: string) => Pick<Histogram, 'getValueAtPercentile' | 'mean'>,
): Record<string, number> {
  const result: Record<string, number> = {}
  // A flood is counted where it arrives; the client of anything else counts what came back.
  const counted = scenario.traffic === 'flood' ? server : client
  if (scenario.traffic === 'idle' || scenario.traffic === 'broadcast') {
    result.rssServer = server.rssGrowthBytes / point.connections
    result.rssClient = client.rssGrowthBytes / point.connections
    result.externalServer = server.externalGrowthBytes / point.connections
    result.externalClient = client.externalGrowthBytes / point.connections
    result.pinnedServer = server.pinnedGrowthBytes / point.connections
    result.pinnedClient = client.pinnedGrowthBytes / point.connections
    return result
  }
  if (scenario.traffic === 'quiet') {
    result.shareServer = (100 * server.cpuMs) / server.elapsedMs
    result.shareClient = (100 * client.cpuMs) / client.elapsedMs
    return result
  }
  result.rate = (counted.payloads / counted.elapsedMs) * 1000
  result.bandwidth = (result.rate * point.byteLength) / 1e6
  if (client.payloads > 0) result.cpuClient = (client.cpuMs / client.payloads) * 1e6
  if (server.payloads > 0) result.cpuServer = (server.cpuMs / server.payloads) * 1e6
  if (client.latency) {
    const latency = decode(client.latency)
    result.p50 = latency.getValueAtPercentile(50)
    result.p99 = latency.getValueAtPercentile(99)
    result.p999 = latency.getValueAtPercentile(99.9)
    result.mean = latency.mean
  }
  if (client.heapAllocatedBytes !== undefined && server.heapAllocatedBytes !== undefined) {
    result.heapClient = client.heapAllocatedBytes / client.payloads
    result.heapServer = server.heapAllocatedBytes / server.payloads
  }
  if (client.lateness && server.lateness) {
    result.lateClientP99 = client.lateness.p99
    result.lateClientMax = client.lateness.max
    result.lateServerP50 = server.lateness.p50
    result.lateServerP99 = server.lateness.p99
    result.lateServerMax = server.lateness.max
  }
  return result
}
