/** Switches metrics and traces on. */
import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { measureConnections } from './connection-metrics.js'
import { countPoolEvents, type ObservedPool, observePool } from './pool-metrics.js'
import { Subscriptions } from './subscriptions.js'
import { traceConnections } from './traces.js'

/** The scope of meters and tracers. */
const SCOPE = '@netts/otel'

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Where metrics go. @default the global one of `@opentelemetry/api` */
  readonly meterProvider?: MeterProvider | undefined
  /** Where spans go. @default the global one of `@opentelemetry/api` */
  readonly tracerProvider?: TracerProvider | undefined
}

/** Metrics and traces that are on. Disposing ends them. */
export interface Instrumentation extends Disposable {
  /**
   * Observes a pool as well.
   *
   * @param name tells its metrics from those of other pools; the pool’s own `name` is a good one
   * @returns what ends it
   */
  observePool(name: string, pool: ObservedPool): Disposable
}

/**
 * Measures and traces every connection that `connect` and `listen` of `@netts/core` make from now on, in whichever package.
 * The program itself stays as it is. Call it once, before the first connection, and after the SDK was set up.
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
