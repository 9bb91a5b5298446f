/** Makes `data/benchmark.json` of what `npx pnpm bench --json FILE` wrote: what the page shows, and no more. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Benchmark } from './reference.js'

const file = process.argv[2]
if (!file) throw new Error('usage: adopt-benchmark.ts FILE')
const { startedAt, command, machine, contenders, scenarios } = JSON.parse(
  readFileSync(file, 'utf8'),
) as Benchmark
const adopted: Benchmark = {
  startedAt,
  command,
  machine,
  contenders,
  scenarios: scenarios.map(({ title, question, metrics, points }) => ({
    title,
    question,
    metrics: metrics.map(({ id, title, unit }) => ({ id, title, unit })),
    points: points.map(({ label, rows }) => ({
      label,
      rows: rows.map(({ contender, figures }) => ({
        contender,
        figures: Object.fromEntries(
          Object.entries(figures).map(([id, { median }]) => [id, { median: Number(median.toPrecision(6)) }]),
        ),
      })),
    })),
  })),
}
writeFileSync(
  new URL('../data/benchmark.json', import.meta.url),
  `${JSON.stringify(adopted, undefined, 2)}\n`,
)
