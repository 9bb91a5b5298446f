/** What the figures of a point are compared to. */
import type { Metric } from '../scenario.js'
import type { PointResult } from './report.js'
import type { Spread } from './statistics.js'

/**
 * @param baseline the contender that everybody is compared to
 * @returns its figure; `undefined` where it has none, or where the metric has no ratios
 */
export function baselineFigure(point: PointResult, metric: Metric, baseline: string): Spread | undefined {
  if (metric.comparable === false) return undefined
  return point.rows.find(({ contender }) => contender === baseline)?.figures[metric.id]
}
