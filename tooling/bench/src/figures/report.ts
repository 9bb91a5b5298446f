/** The results of a whole run: what `--json` writes, and what every view is made from. */
import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { Metric, Point } from '../scenario.js'
import type { Machine } from './machine.js'
import { type Spread, spread } from './statistics.js'

/** One contender at one point, over all rounds. */
export interface Row {
  readonly contender: string
  readonly figures: Readonly<Record<string, Spread>>
  /** `[percentile, nanoseconds]`, all rounds together. */
  readonly latency?: readonly (readonly [number, number])[]
}

export interface PointResult extends Point {
  readonly label: string
  readonly rows: readonly Row[]
  readonly skipped: readonly { readonly contender: string; readonly reason: string }[]
}

export interface ScenarioResult {
  readonly id: string
  readonly title: string
  readonly question: string
  readonly metrics: readonly Metric[]
  /** The contender that the others are compared to. */
  readonly baseline: string
  readonly points: readonly PointResult[]
}

/** How a target of `targets.ts` came out. */
export interface TargetResult {
  readonly id: string
  readonly title: string
  /** The bound as people read it. */
  readonly target: string
  readonly measured: string
  readonly holds: boolean
  readonly value: Spread
}

export interface Report {
  readonly format: 'netts-bench/1'
  readonly startedAt: string
  readonly durationMs: number
  /** Reproduces it. */
  readonly command: string
  readonly machine: Machine
  readonly contenders: readonly { readonly id: string; readonly title: string; readonly about: string }[]
  readonly scenarios: readonly ScenarioResult[]
  readonly targets: readonly TargetResult[]
}

/** Percentiles of the latency curves: evenly spaced in the number of nines. */
const CURVE = [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999]

/** Fewer samples than this beyond a percentile say nothing about it. */
const LEAST_BEYOND = 3

/** Collects the runs of one contender at one point. */
export class RowCollector {
  readonly contender: string
  readonly #values = new Map<string, number[]>()
  #histogram: Histogram | undefined

  constructor(contender: string) {
    this.contender = contender
  }

  get rounds(): number {
    return Math.max(0, ...[...this.#values.values()].map(({ length }) => length))
  }

  add(figures: Readonly<Record<string, number>>, latency: string | undefined): void {
    for (const [metric, value] of Object.entries(figures)) {
      const values = this.#values.get(metric)
      if (values) values.push(value)
      else this.#values.set(metric, [value])
    }
    if (latency === undefined) return
    const histogram = decodeFromCompressedBase64(latency) as Histogram
    if (this.#histogram) this.#histogram.add(histogram)
    else this.#histogram = histogram
  }

  row(): Row {
    const histogram = this.#histogram
    return {
      contender: this.contender,
      figures: Object.fromEntries([...this.#values].map(([metric, values]) => [metric, spread(values)])),
      ...(histogram && {
        latency: CURVE.filter((q) => histogram.totalCount * (1 - q / 100) >= LEAST_BEYOND).map(
          (q) => [q, histogram.getValueAtPercentile(q)] as const,
        ),
      }),
    }
  }
}

/** A figure of a report, or `undefined` where it was not measured. */
export function figureOf(
  scenarios: readonly ScenarioResult[],
  at: { scenario: string; contender: string; metric: string } & Partial<Point>,
): Spread | undefined {
  const point = scenarios
    .find(({ id }) => id === at.scenario)
    ?.points.find(
      ({ byteLength, connections, batch }) =>
        byteLength === (at.byteLength ?? byteLength) &&
        connections === (at.connections ?? connections) &&
        batch === (at.batch ?? batch),
    )
  return point?.rows.find(({ contender }) => contender === at.contender)?.figures[at.metric]
}
