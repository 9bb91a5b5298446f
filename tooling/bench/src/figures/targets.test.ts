import { expect, test } from 'vitest'
import { RAW } from '../contenders/index.js'
import { scenarios } from '../plan.js'
import type { ScenarioResult } from './report.js'
import { spread } from './statistics.js'
import { judge } from './targets.js'

/** A scenario's result at its first point. */
function result(id: string, rows: Record<string, Record<string, number[]>>): ScenarioResult {
  const scenario = scenarios.find((one) => one.id === id)
  const [point] = scenario?.full ?? []
  if (!scenario || !point) throw new Error(`there is no scenario ${id}`)
  return {
    ...scenario,
    baseline: RAW,
    points: [
      {
        ...point,
        label: '',
        skipped: [],
        rows: Object.entries(rows).map(([contender, figures]) => ({
          contender,
          figures: Object.fromEntries(
            Object.entries(figures).map(([metric, values]) => [metric, spread(values)]),
          ),
        })),
      },
    ],
  }
}

function verdict(id: string, ...results: ScenarioResult[]) {
  return judge(results, false).find((target) => target.id === id)
}

test.each([
  [1.9e6, true],
  [2e6, true],
  [2.1e6, false],
])('a timer that is %d ns late beside a saturated receiver: %s', (latenessNs, holds) => {
  const late = result('lateness', {
    tcp: { lateServerP99: [latenessNs] },
    'tcp-await': { lateServerP99: [2e6] },
  })
  expect(verdict('tcp-lateness', late)).toMatchObject({ holds, target: '≤ 2.00 ms' })
  expect(verdict('tcp-await-lateness', late)?.holds).toBe(true)
})

test('what a broadcast leaves is judged by the resident set or the buffers, whichever is more in a round', () => {
  const left = (rss: number[], buffers: number[]) =>
    verdict('broadcast', result('broadcast', { tcp: { rssServer: rss, externalServer: buffers } }))
  expect(left([3000, 9000, 1000], [1000, 1000, 2000])).toMatchObject({
    holds: true,
    value: spread([3000, 9000, 2000]),
  })
  expect(left([3000, 3000, 3000], [82_000, 82_000, 82_000])).toMatchObject({ holds: false })
  expect(left([8192], [0])).toMatchObject({ holds: false, target: '< 8.00 KiB' })
})

test('nothing is said about what was not measured', () => {
  expect(judge([result('lateness', { ws: { lateServerP99: [1] } })], false)).toEqual([])
})
