/** The targets: what netts promises itself, as ratios within one run. */
import { formatFigure, formatRatio } from './format.js'
import { figureOf, type ScenarioResult, type TargetResult } from './report.js'
import { difference, ratio, type Spread, spread } from './statistics.js'

const KIB = 1024
const MIB = 1024 * KIB

interface Target {
  readonly id: string
  readonly title: string
  readonly bound: number
  readonly holds: 'at least' | 'at most' | 'below'
  readonly unit: 'ratio' | 'B' | 'ns'
  measure(scenarios: readonly ScenarioResult[]): Spread | undefined
}

type Query = Parameters<typeof figureOf>[1]

function ratioOf(of: Query, to: Query): Target['measure'] {
  return (scenarios) => {
    const [a, b] = [figureOf(scenarios, of), figureOf(scenarios, to)]
    return a && b && ratio(a, b)
  }
}

/** The greater of two figures, round by round: the worse of both sides. */
function greater(a: Spread | undefined, b: Spread | undefined): Spread | undefined {
  return a && b && spread(a.values.map((value, i) => Math.max(value, b.values[i] ?? value)))
}

const small = { scenario: 'throughput', byteLength: 64, connections: 1, metric: 'rate' }
const large = { scenario: 'throughput', byteLength: MIB, connections: 1, metric: 'bandwidth' }
const trip = { scenario: 'round-trip', byteLength: 64, connections: 1, metric: 'p50' }
const late = { scenario: 'lateness', byteLength: 64, metric: 'lateServerP99' }
const heap = { scenario: 'allocation', byteLength: 64 }

function messagesAgainst(peer: string, title: string, bound: number): Target {
  return {
    id: `tcp-messages-${peer}`,
    title: `tcp, 64 B messages/s one way, against ${title}`,
    bound,
    holds: 'at least',
    unit: 'ratio',
    measure: ratioOf({ ...small, contender: 'tcp' }, { ...small, contender: peer }),
  }
}

const targets: readonly Target[] = [
  messagesAgainst('naive', 'naive framing on node:net', 10),
  messagesAgainst('ws', 'ws', 8),
  messagesAgainst('zeromq', 'zeromq', 5),
  {
    id: 'tcp-round-trip',
    title: 'tcp, 64 B round trip p50, against raw node:net',
    bound: 1.1,
    holds: 'at most',
    unit: 'ratio',
    measure: ratioOf({ ...trip, contender: 'tcp' }, { ...trip, contender: 'net' }),
  },
  {
    id: 'tcp-bandwidth',
    title: 'tcp, 1 MiB MB/s, against raw node:net',
    bound: 0.97,
    holds: 'at least',
    unit: 'ratio',
    measure: ratioOf({ ...large, contender: 'tcp' }, { ...large, contender: 'net' }),
  },
  {
    id: 'mock-messages',
    title: 'mock, 64 B messages/s, against tcp',
    bound: 2,
    holds: 'at least',
    unit: 'ratio',
    measure: ratioOf({ ...small, contender: 'mock' }, { ...small, contender: 'tcp' }),
  },
  {
    id: 'heap',
    title: 'V8 heap bytes allocated a message, leased receive and pooled send, worse side',
    bound: 64,
    holds: 'below',
    unit: 'B',
    measure: (scenarios) =>
      greater(
        figureOf(scenarios, { ...heap, contender: 'tcp-zero-copy', metric: 'heapClient' }),
        figureOf(scenarios, { ...heap, contender: 'tcp-zero-copy', metric: 'heapServer' }),
      ),
  },
  {
    id: 'idle',
    title: 'RSS an idle tcp connection beyond raw node:net, worse side',
    bound: 8192,
    holds: 'below',
    unit: 'B',
    measure(scenarios) {
      const beyond = (metric: string) => {
        const of = figureOf(scenarios, { scenario: 'idle', contender: 'tcp', metric })
        const to = figureOf(scenarios, { scenario: 'idle', contender: 'net', metric })
        return of && to && difference(of, to)
      }
      return greater(beyond('rssServer'), beyond('rssClient'))
    },
  },
  {
    id: 'broadcast',
    title:
      'memory that a 64 B message leaves with each of 1000 idle tcp connections, RSS or buffers, the greater',
    bound: 8192,
    holds: 'below',
    unit: 'B',
    measure: (scenarios) =>
      greater(
        figureOf(scenarios, { scenario: 'broadcast', contender: 'tcp', metric: 'rssServer' }),
        figureOf(scenarios, { scenario: 'broadcast', contender: 'tcp', metric: 'externalServer' }),
      ),
  },
  lateness('tcp', 'leases in a batch'),
  lateness('tcp-await', 'an awaited loop'),
  {
    id: 'pool-cycle',
    title: 'pool, to borrow an idle connection and give it back: 1 M/s of processor time',
    bound: 1000,
    holds: 'at most',
    unit: 'ns',
    measure: (scenarios) => figureOf(scenarios, { scenario: 'pool', contender: 'pool', metric: 'cycle' }),
  },
  addonCost('post', 'one work request', 20),
  addonCost('poll', 'one completion', 15),
]

/** Those of RDMA, beside perftest in the same guest: the kernel's part of the way is the same for both. */
const labTargets: readonly Target[] = [
  roundTripAgainst('perftest-send', 'sendrecv-transport-busy', 'transport, busy, against ib_send_lat', 1.6),
  roundTripAgainst('perftest-send', 'sendrecv-busy', 'connection, busy, against ib_send_lat', 2.5),
  roundTripAgainst('net', 'sendrecv-busy', 'connection, busy, against node:net', 0.35),
  roundTripAgainst(
    'perftest-send-events',
    'sendrecv-transport-event',
    'transport, events, against ib_send_lat -e',
    1.3,
  ),
  {
    id: 'rdma-bandwidth',
    title: 'rdma-sendrecv connection, 64 KiB MB/s, against ib_send_bw',
    bound: 0.9,
    holds: 'at least',
    unit: 'ratio',
    measure: ratioOf(
      { ...large, byteLength: 64 * KIB, contender: 'sendrecv-adaptive' },
      { ...large, byteLength: 64 * KIB, contender: 'perftest-send' },
    ),
  },
  {
    id: 'rdma-messages',
    title: 'rdma-sendrecv connection, 64 B messages/s, against ib_send_bw',
    bound: 4,
    holds: 'at least',
    unit: 'ratio',
    measure: ratioOf({ ...small, contender: 'sendrecv-adaptive' }, { ...small, contender: 'perftest-send' }),
  },
]

function roundTripAgainst(peer: string, contender: string, title: string, bound: number): Target {
  return {
    id: `${contender}-${peer}`,
    title: `rdma-sendrecv ${title}, 64 B round trip p50`,
    bound,
    holds: 'at most',
    unit: 'ratio',
    measure: ratioOf({ ...trip, contender }, { ...trip, contender: peer }),
  }
}

function lateness(contender: string, receiving: string): Target {
  return {
    id: `${contender}-lateness`,
    title: `tcp, lateness p99 of a timer beside a receiver of 64 B messages at its limit, ${receiving}`,
    bound: 2e6,
    holds: 'at most',
    unit: 'ns',
    measure: (scenarios) => figureOf(scenarios, { ...late, contender }),
  }
}

function addonCost(metric: string, title: string, bound: number): Target {
  return {
    id: `addon-${metric}`,
    title: `addon, ${title}, batches of 32, beyond the same in C`,
    bound,
    holds: 'at most',
    unit: 'ns',
    measure: (scenarios) => figureOf(scenarios, { scenario: 'addon', contender: 'verbs', metric, batch: 32 }),
  }
}

/**
 * The targets that this run can say something about.
 *
 * @param lab whether it ran in the lab: an emulated machine has other proportions, and so targets of its own
 */
export function judge(scenarios: readonly ScenarioResult[], lab: boolean): TargetResult[] {
  return (lab ? labTargets : targets).flatMap((target) => {
    const value = target.measure(scenarios)
    if (!value) return []
    const { median } = value
    const holds =
      target.holds === 'at least'
        ? median >= target.bound
        : target.holds === 'at most'
          ? median <= target.bound
          : median < target.bound
    const format = (figure: number) =>
      target.unit === 'ratio' ? formatRatio(figure) : formatFigure(figure, target.unit)
    const sign = { 'at least': '≥', 'at most': '≤', below: '<' }[target.holds]
    return [
      {
        id: target.id,
        title: target.title,
        target: `${sign} ${format(target.bound)}`,
        measured: `${format(median)} (${format(value.min)} to ${format(value.max)})`,
        holds,
        value,
      },
    ]
  })
}
