/** A made-up report with every scenario of the plan, for the tests of its views. */
import { contenders, RAW } from '../contenders/index.js'
import type { Report } from '../figures/report.js'
import { spread } from '../figures/statistics.js'
import { judge } from '../figures/targets.js'
import { pointLabel, scenarios } from '../plan.js'

/** The same figures every time: they grow with the place in the lists. */
export function sampleReport(): Report {
  const results = scenarios.map((scenario) => ({
    id: scenario.id,
    title: scenario.title,
    question: scenario.question,
    metrics: scenario.metrics,
    baseline: scenario.baseline ?? RAW,
    points: scenario.full.map((point, p) => ({
      ...point,
      label: pointLabel(scenario, point),
      skipped: [{ contender: 'zeromq', reason: 'it is </script> a <b>sample</b>' }],
      rows: contenders
        .filter(({ id }) => id !== 'zeromq' && (scenario.only ?? [id]).includes(id))
        .map(({ id }, c) => {
          const value = 1000 * (c + 1) * (p + 1)
          return {
            contender: id,
            figures: Object.fromEntries(
              scenario.metrics.map((metric, m) => [
                metric.id,
                spread([value * (m + 1), value * (m + 1) * 1.1, value * (m + 1) * 0.9]),
              ]),
            ),
            ...(scenario.metrics[0].id === 'p50' && {
              latency: [0, 50, 90, 99, 99.9].map((q) => [q, value * (1 + q / 50)] as const),
            }),
          }
        }),
    })),
  }))
  return {
    format: 'netts-bench/1',
    startedAt: '2026-01-02T03:04:05.000Z',
    durationMs: 90_000,
    command: 'npx pnpm bench --quick',
    machine: {
      cpu: 'Sample',
      cores: 2,
      memoryBytes: 2 ** 34,
      system: 'Linux 6.1',
      node: 'v20.0.0',
      loadBefore: 0.1,
    },
    contenders: contenders.map(({ id, title, about }) => ({ id, title, about })),
    scenarios: results,
    targets: judge(results, false),
  }
}
