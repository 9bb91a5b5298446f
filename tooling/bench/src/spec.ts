/** What one run is: the question that contenders, workers and the conductor all know. */

/** What the traffic of a run is; see `worker/traffic`. */
export type TrafficKind = 'closed-loop' | 'flood' | 'open-loop' | 'idle' | 'quiet' | 'broadcast' | 'churn'

/** One run of one contender at one point. */
export interface RunSpec {
  readonly contender: string
  readonly traffic: TrafficKind | 'addon' | 'pool'
  /** The payload's size in bytes. */
  readonly byteLength: number
  readonly connections: number
  /** Of the connections, so many have traffic, for `closed-loop`. @default all */
  readonly active?: number | undefined
  /** Payloads per second offered, for `open-loop`. */
  readonly ratePerSecond?: number | undefined
  /** How much is done by one call, for `addon`. */
  readonly batch?: number | undefined
  readonly host: string
  /** What is looked at beside counts, time and processor time. */
  readonly observe?: 'heap' | 'lateness' | undefined
}
