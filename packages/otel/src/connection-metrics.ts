/** Metrics of connections: the counters of `connection.stats`, summed over open and closed connections. */

import { type Connection, type ConnectionStats, DIAGNOSTICS_CHANNELS, wireOf } from '@netts/core'
import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import {
  ATTR_NETWORK_IO_DIRECTION,
  ATTR_ROLE,
  ATTR_WIRE,
  errorAttributes,
  keyOf,
  type Role,
  wireAttributes,
} from './attributes.js'
import type { Subscriptions } from './subscriptions.js'

/** Bounds of the histogram of the duration of connecting, in seconds. RDMA connects within a millisecond. */
const CONNECT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Bounds of the histogram of the duration of connections, in seconds: from one request to a week. */
const LIFE_BOUNDS = [0.01, 0.1, 1, 10, 60, 600, 3600, 21_600, 86_400, 604_800]

type Counter = Exclude<keyof ConnectionStats, 'bytesBuffered'>

/** A connection that is open. */
interface Open {
  readonly group: Group
  readonly beganMs: number
}

/** Connections with the same attributes. */
interface Group {
  readonly attributes: Attributes
  readonly open: Set<Connection>
  /** The sums of the counters of closed connections. */
  readonly closed: Record<Counter, number>
}

/** Each counter of `connection.stats`, as a metric. */
const COUNTERS: readonly {
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly parts: readonly (readonly [counter: Counter, attributes: Attributes])[]
}[] = [
  {
    name: 'netts.io',
    unit: 'By',
    description: 'Payload bytes of messages.',
    parts: directions('bytesSent', 'bytesReceived'),
  },
  {
    name: 'netts.message.count',
    unit: '{message}',
    description: 'Messages.',
    parts: directions('messagesSent', 'messagesReceived'),
  },
  {
    name: 'netts.chunk.count',
    unit: '{chunk}',
    description: 'Chunks sent and received. Many small messages share one chunk.',
    parts: directions('chunksSent', 'chunksReceived'),
  },
  {
    name: 'netts.message.zero_copy.count',
    unit: '{message}',
    description: 'Messages sent without a copy.',
    parts: [['zeroCopySends', {}]],
  },
  {
    name: 'netts.lease.copy.count',
    unit: '{lease}',
    description: 'Leases that were copied: assembled from several chunks, or copied out of receive memory.',
    parts: [
      ['assembledLeases', { 'netts.lease.copy.reason': 'assembled' }],
      ['copiedLeases', { 'netts.lease.copy.reason': 'held' }],
    ],
  },
]

function directions(sent: Counter, received: Counter): (readonly [Counter, Attributes])[] {
  return [
    [sent, { [ATTR_NETWORK_IO_DIRECTION]: 'transmit' }],
    [received, { [ATTR_NETWORK_IO_DIRECTION]: 'receive' }],
  ]
}

/** Measures connections that are made from now on. Connections that are open already are not counted. */
export function measureConnections(meter: Meter, subscriptions: Subscriptions): Disposable {
  const groups = new Map<string, Group>()
  const opened = new WeakMap<Connection, Open>()
  const durations = meter.createHistogram('netts.connection.duration', {
    unit: 's',
    description: 'Duration of closed connections. Those that an error ended have error.type.',
    advice: { explicitBucketBoundaries: LIFE_BOUNDS },
  })
  const connecting = meter.createHistogram('netts.connect.duration', {
    unit: 's',
    description: 'Duration of attempts to connect.',
    advice: { explicitBucketBoundaries: CONNECT_BOUNDS },
  })

  const open = (connection: Connection, role: Role) => {
    const wire = wireOf(connection.transport) ?? 'unknown'
    const attributes = { ...wireAttributes(wire, connection.remoteAddress), [ATTR_ROLE]: role }
    const key = keyOf(attributes)
    let group = groups.get(key)
    if (group === undefined) {
      group = { attributes, open: new Set(), closed: emptyCounts() }
      groups.set(key, group)
    }
    group.open.add(connection)
    opened.set(connection, { group, beganMs: performance.now() })
  }
  subscriptions.on(DIAGNOSTICS_CHANNELS.connect, ({ connection }) => open(connection, 'client'))
  subscriptions.on(DIAGNOSTICS_CHANNELS.accept, ({ connection }) => open(connection, 'server'))
  subscriptions.on(DIAGNOSTICS_CHANNELS.close, ({ connection, error }) => {
    const known = opened.get(connection)
    if (known === undefined) return
    opened.delete(connection)
    known.group.open.delete(connection)
    add(known.group.closed, connection.stats)
    const seconds = (performance.now() - known.beganMs) / 1000
    durations.record(seconds, { ...known.group.attributes, ...errorAttributes(error) })
  })

  const began = new WeakMap<object, number>()
  subscriptions.onConnecting(
    (trace) => began.set(trace, performance.now()),
    (trace) => {
      const at = began.get(trace)
      if (at === undefined) return
      const wire = (trace.result && wireOf(trace.result.transport)) ?? trace.wire
      connecting.record((performance.now() - at) / 1000, {
        ...wireAttributes(wire, trace.address),
        ...errorAttributes(trace.error),
      })
    },
  )
  countEvents(meter, subscriptions)
  return observe(meter, groups)
}

/** Counts events when they occur. */
function countEvents(meter: Meter, subscriptions: Subscriptions): void {
  const listenerErrors = meter.createCounter('netts.listener.error.count', {
    unit: '{error}',
    description: 'Connections that listeners could not accept.',
  })
  subscriptions.on(DIAGNOSTICS_CHANNELS.listenerError, ({ error }) =>
    listenerErrors.add(1, errorAttributes(error)),
  )
  const fallbacks = meter.createCounter('netts.wire.fallback.count', {
    unit: '{fallback}',
    description: 'How often a preferred wire was not available.',
  })
  subscriptions.on(DIAGNOSTICS_CHANNELS.wireFallback, ({ wire, error }) =>
    fallbacks.add(1, { [ATTR_WIRE]: wire, ...errorAttributes(error) }),
  )
  const leaks = meter.createCounter('netts.buffer.leak.count', {
    unit: '{buffer}',
    description: 'Buffers that were never released, with detectLeaks.',
  })
  subscriptions.on(DIAGNOSTICS_CHANNELS.bufferLeak, () => leaks.add(1))
}

/** Metrics that are read at each collection. */
function observe(meter: Meter, groups: ReadonlyMap<string, Group>): Disposable {
  const counters = COUNTERS.map(({ name, unit, description, parts }) => ({
    metric: meter.createObservableCounter(name, { unit, description }),
    parts,
  }))
  const count = meter.createObservableUpDownCounter('netts.connection.count', {
    unit: '{connection}',
    description: 'Connections that are open.',
  })
  const buffered = meter.createObservableUpDownCounter('netts.receive.buffered', {
    unit: 'By',
    description: 'Payload bytes of complete messages that the application has not received yet.',
  })
  const queued = meter.createObservableUpDownCounter('netts.send.queued', {
    unit: 'By',
    description: 'Bytes that were sent and that the wire has not taken yet.',
  })
  const callback = (result: BatchObservableResult) => {
    for (const { attributes, open, closed } of groups.values()) {
      const totals = { ...closed }
      let [received, unsent] = [0, 0]
      for (const connection of open) {
        const { stats } = connection
        add(totals, stats)
        received += stats.bytesBuffered
        unsent += connection.queuedBytes
      }
      for (const { metric, parts } of counters) {
        for (const [counter, more] of parts) {
          result.observe(metric, totals[counter], { ...attributes, ...more })
        }
      }
      result.observe(count, open.size, attributes)
      result.observe(buffered, received, attributes)
      result.observe(queued, unsent, attributes)
    }
  }
  const metrics: Observable[] = [...counters.map(({ metric }) => metric), count, buffered, queued]
  meter.addBatchObservableCallback(callback, metrics)
  return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(callback, metrics) }
}

function emptyCounts(): Record<Counter, number> {
  return {
    messagesSent: 0,
    messagesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    chunksSent: 0,
    chunksReceived: 0,
    zeroCopySends: 0,
    assembledLeases: 0,
    copiedLeases: 0,
  }
}

function add(totals: Record<Counter, number>, stats: ConnectionStats): void {
  for (const counter of Object.keys(totals) as Counter[]) totals[counter] += stats[counter]
}
