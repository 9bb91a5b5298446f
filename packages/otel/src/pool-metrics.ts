/** Metrics of a pool: `pool.stats` at each collection, and its events when they occur. */

import { POOL_CHANNELS, type PoolStats } from '@netts/pool'
import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api'
import { ATTR_POOL } from './attributes.js'
import { EndpointTotals } from './endpoint-totals.js'
import type { Subscriptions } from './subscriptions.js'

/** The part of a {@link Pool} of `@netts/pool` that is observed. */
export interface ObservedPool {
  /** Counters and gauges, read at each collection. */
  readonly stats: PoolStats
}

/** Counts the events of all pools. */
export function countPoolEvents(meter: Meter, subscriptions: Subscriptions): void {
  const events = meter.createCounter('netts.pool.event.count', {
    unit: '{event}',
    description: 'Events of pools, by type.',
  })
  subscriptions.on(POOL_CHANNELS.event, ({ pool, event }) => {
    events.add(1, { [ATTR_POOL]: pool, 'netts.pool.event': event.type })
  })
}

/** Observes a pool until the result is disposed. @param name the value of the attribute `netts.pool.name` */
export function observePool(meter: Meter, name: string, pool: ObservedPool): Disposable {
  const count = meter.createObservableUpDownCounter('netts.pool.connection.count', {
    unit: '{connection}',
    description: 'Connections of pools, by state.',
  })
  const pending = meter.createObservableUpDownCounter('netts.pool.pending_requests', {
    unit: '{request}',
    description: 'Callers that wait for a connection.',
  })
  const endpoints = meter.createObservableUpDownCounter('netts.pool.endpoint.count', {
    unit: '{endpoint}',
    description: 'Endpoints of pools, by the state of their circuit breakers.',
  })
  const acquired = meter.createObservableCounter('netts.pool.acquire.count', {
    unit: '{request}',
    description: 'Calls of acquire, by outcome.',
  })
  const waited = meter.createObservableCounter('netts.pool.wait.time', {
    unit: 's',
    description: 'Total time that callers waited for the connections that they got.',
  })
  const attributes = { [ATTR_POOL]: name }
  const totals = new EndpointTotals()
  const callback = (result: BatchObservableResult) => {
    const { stats } = pool
    const states = {
      idle: stats.idle,
      used: stats.lent,
      connecting: stats.connecting,
      closing: stats.closing,
    }
    for (const [state, value] of Object.entries(states)) {
      result.observe(count, value, { ...attributes, 'netts.pool.connection.state': state })
    }
    result.observe(pending, stats.waiting, attributes)
    const breakers = { closed: 0, open: 0, 'half-open': 0 }
    for (const { breaker } of stats.endpoints) breakers[breaker]++
    const { acquired: lent, waitMs } = totals.of(stats.endpoints)
    for (const [state, value] of Object.entries(breakers)) {
      result.observe(endpoints, value, { ...attributes, 'netts.pool.breaker.state': state })
    }
    result.observe(acquired, lent, { ...attributes, 'netts.pool.acquire.outcome': 'lent' })
    result.observe(acquired, stats.failedAcquires, { ...attributes, 'netts.pool.acquire.outcome': 'failed' })
    result.observe(waited, waitMs / 1000, attributes)
  }
  const metrics: Observable[] = [count, pending, endpoints, acquired, waited]
  meter.addBatchObservableCallback(callback, metrics)
  return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(callback, metrics) }
}
