/** Turns metrics and traces on. */
import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { measureConnections } from './connection-metrics.js'
import { countPoolEvents, type ObservedPool, observePool } from './pool-metrics.js'
import { Subscriptions } from './subscriptions.js'
import { traceConnections } from './traces.js'

/** The name of the instrumentation scope of meters and tracers. */
const SCOPE = '@netts/otel'

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** The provider of the meter. @default the global one of `@opentelemetry/api` */
  readonly meterProvider?: MeterProvider | undefined
  /** The provider of the tracer. @default the global one of `@opentelemetry/api` */
  readonly tracerProvider?: TracerProvider | undefined
}

/** Metrics and traces that {@link instrument} turned on. `[Symbol.dispose]()` turns them off, those of pools too. */
export interface Instrumentation extends Disposable {
  /**
   * Adds the metrics of a pool that are read from its `stats` at each collection. (The events of all pools are counted
   * without this call.)
   *
   * @param name the value of the attribute `netts.pool.name`; use the pool's own `name`, as its events do
   * @returns dispose it after the pool was closed, to stop observing
   */
  observePool(name: string, pool: ObservedPool): Disposable
}

/**
 * Measures and traces every connection that `connect` and `listen` of `@netts/core` make from now on, also those of pools and
 * other packages. It subscribes to the diagnostics channels of netts; the program needs no other change.
 *
 * Call it once, after the SDK of OpenTelemetry was set up and before the first connection: a second call counts everything
 * twice. Without an SDK it has no effect.
 */
export function instrument(options: InstrumentOptions = {}): Instrumentation {
  const { meterProvider = metrics, tracerProvider = trace } = options
  const meter = meterProvider.getMeter(SCOPE)
  const subscriptions = new Subscriptions()
  const observed = measureConnections(meter, subscriptions)
  countPoolEvents(meter, subscriptions)
  traceConnections(tracerProvider.getTracer(SCOPE), subscriptions)
  const pools = new Set<Disposable>()
  return {
    observePool(name, pool) {
      const observation = observePool(meter, name, pool)
      const disposable = {
        [Symbol.dispose]() {
          pools.delete(disposable)
          observation[Symbol.dispose]()
        },
      }
      pools.add(disposable)
      return disposable
    },
    [Symbol.dispose]() {
      subscriptions[Symbol.dispose]()
      observed[Symbol.dispose]()
      for (const pool of pools) pool[Symbol.dispose]()
    },
  }
}
