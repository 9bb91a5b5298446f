/** Makes `data/benchmark.json` of what `npx pnpm bench --json FILE` wrote, run by run: what the page shows, and no more. */
import { readFileSync, writeFileSync } from 'node:fs'
import { formatFigure } from '../../bench/src/figures/format.js'
import type { Report } from '../../bench/src/figures/report.js'
import type { Benchmark } from './reference.js'

function adopt(file: string): Benchmark {
  const { startedAt, command, machine, contenders, scenarios } = JSON.parse(
    readFileSync(file, 'utf8'),
  ) as Report
  const measured = new Set(
    scenarios.flatMap(({ points }) => points.flatMap(({ rows }) => rows.map(({ contender }) => contender))),
  )
  const { cpu, cores, system, node, loadBefore } = machine
  return {
    startedAt,
    command,
    machine: { cpu, cores, system, node, loadBefore },
    contenders: contenders
      .filter(({ id }) => measured.has(id))
      .map(({ id, title, about }) => ({ id, title, about })),
    scenarios: scenarios.map(({ title, question, metrics, points }) => ({
      title,
      question,
      metrics: metrics.map(({ title }) => title),
      points: points.map(({ label, rows }) => ({
        label,
        rows: rows.map(({ contender, figures }) => ({
          contender,
          figures: metrics.map(({ id, unit }) => {
            const figure = figures[id]
            return figure ? formatFigure(figure.median, unit) : ''
          }),
        })),
      })),
    })),
  }
}

const files = process.argv.slice(2)
if (files.length === 0) throw new Error('usage: adopt-benchmark.ts FILE...')
writeFileSync(
  new URL('../data/benchmark.json', import.meta.url),
  `${JSON.stringify(files.map(adopt), undefined, 1)}\n`,
)
