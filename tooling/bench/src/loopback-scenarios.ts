/**
 * What netts' RDMA drivers add to the device, over the loopback provider, where the wire takes 1 µs a way on any
 * machine: beside a C program over the same provider, and beside each other.
 */
import {
  bandwidth,
  counts,
  cpuClient,
  cpuServer,
  KIB,
  MIB,
  mean,
  p50,
  p99,
  rate,
  type Scenario,
  sizes,
} from './scenario.js'

/** The C program: polling, and sleeping until events. */
export const IN_C = 'loopback-c'
const IN_C_BY_EVENTS = 'loopback-c-events'

const DRIVERS = ['sendrecv', 'ring']
const POLLING = ['busy', 'adaptive', 'event']

function both(...names: string[]): string[] {
  return DRIVERS.flatMap((driver) => names.map((name) => `loopback-${driver}-${name}`))
}

const leased = both(...POLLING)

export const loopbackScenarios: readonly Scenario[] = [
  {
    id: 'loopback',
    title: 'Added to the device',
    question:
      'What do the RDMA drivers add to a round trip of a C program, over the loopback provider with 1 µs a way?',
    traffic: 'closed-loop',
    only: [
      IN_C,
      IN_C_BY_EVENTS,
      ...both(...POLLING.map((polling) => `transport-${polling}`), ...POLLING, 'busy-await', 'busy-callback'),
    ],
    baseline: IN_C,
    quick: sizes(1, 64),
    full: sizes(1, 64),
    metrics: [p50, p99, mean, rate, cpuClient, cpuServer],
  },
  {
    id: 'loopback-processor',
    title: 'Processor time of a round trip',
    question:
      'What processor time do both ends of a verified round trip take together, in one process, over a wire that takes no time?',
    traffic: 'processor',
    only: both('transport-busy', 'busy', 'busy-await', 'busy-callback').map((id) => `${id}-processor`),
    baseline: 'loopback-sendrecv-transport-busy-processor',
    quick: sizes(1, 64),
    full: sizes(1, 64, 4 * KIB, 64 * KIB, MIB),
    metrics: [{ id: 'processor', title: 'both ends', unit: 'ns', better: 'lower' }],
  },
  {
    id: 'loopback-neighbours',
    title: 'Idle neighbours',
    question: 'What does a round trip on one connection take while all others of the process are idle?',
    traffic: 'closed-loop',
    only: leased,
    baseline: 'loopback-sendrecv-adaptive',
    quick: counts(64, 5, 1000).map((point) => ({ ...point, active: 1 })),
    full: counts(64, 1, 5, 100, 1000).map((point) => ({ ...point, active: 1 })),
    rounds: 0.6,
    metrics: [p50, p99, cpuClient, cpuServer],
  },
  {
    id: 'loopback-quiet',
    title: 'Idle processor time',
    question: 'What share of a processor does a process take whose connections are all idle?',
    traffic: 'quiet',
    only: both('adaptive', 'event'),
    baseline: 'loopback-sendrecv-adaptive',
    quick: counts(64, 1000),
    full: counts(64, 1, 100, 1000),
    rounds: 0.6,
    metrics: [
      { id: 'shareServer', title: 'server', unit: '%', better: 'lower', comparable: false },
      { id: 'shareClient', title: 'client', unit: '%', better: 'lower', comparable: false },
    ],
  },
  {
    id: 'loopback-sizes',
    title: 'Ring beside Send/Recv, round trip',
    question: 'How long does one request of a size take, there and back, over either RDMA driver?',
    traffic: 'closed-loop',
    only: both('adaptive'),
    baseline: 'loopback-sendrecv-adaptive',
    quick: sizes(1, 4 * KIB),
    full: sizes(1, 64, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB),
    metrics: [p50, p99, cpuClient, cpuServer],
  },
  {
    id: 'loopback-throughput',
    title: 'Ring beside Send/Recv, one way',
    question: 'How much goes through one connection over either RDMA driver?',
    traffic: 'flood',
    only: both('adaptive'),
    baseline: 'loopback-sendrecv-adaptive',
    quick: sizes(1, 64),
    full: sizes(1, 64, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB),
    metrics: [rate, bandwidth, cpuClient, cpuServer],
  },
]
