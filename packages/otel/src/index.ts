/**
 * `@netts/otel`: metrics and traces of connections and pools, with OpenTelemetry.
 *
 * @packageDocumentation
 */
export { type Instrumentation, type InstrumentOptions, instrument } from './instrument.js'
export type { ObservedPool } from './pool-metrics.js'
