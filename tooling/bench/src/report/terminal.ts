/** The report in a terminal, and the progress while it is being made. */
import { stripVTControlCharacters, styleText } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import { baselineFigure } from '../figures/baseline.js'
import { formatFigure, formatRatio } from '../figures/format.js'
import type { PointResult, Report, Row, ScenarioResult } from '../figures/report.js'
import { ratio } from '../figures/statistics.js'
import type { Progress } from '../run/benchmark.js'

/** A bar on a terminal; a line for each scenario elsewhere. */
export function terminalProgress(): Progress {
  if (!process.stderr.isTTY) return lineProgress()
  const bar = new SingleBar(
    { format: '{bar} {value}/{total} {eta_formatted}  {what}', hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  )
  return {
    begin: (total) => bar.start(total, 0, { what: '' }),
    step: (what) => bar.increment(1, { what }),
    done: () => bar.stop(),
  }
}

function lineProgress(): Progress {
  let total = 0
  let value = 0
  return {
    begin: (count) => {
      total = count
    },
    step: (what) => {
      value++
      if (value % 20 === 1) process.stderr.write(`${value}/${total} ${what}\n`)
    },
    done: () => {},
  }
}

/** The whole report as text. */
export function renderTerminal(report: Report): string {
  const { machine } = report
  const titles = new Map(report.contenders.map(({ id, title }) => [id, title]))
  const parts = [
    styleText('bold', 'netts and its peers, in one run'),
    `${machine.cpu}, ${machine.cores} cores${machine.virtual ? ` (${machine.virtual})` : ''}, ${machine.system}, Node.js ${machine.node}`,
    styleText(
      'dim',
      'Medians over interleaved rounds; the spread is that of the first column. Ratios are the result: absolute figures are this machine’s.',
    ),
    ...report.scenarios.map((scenario) => renderScenario(scenario, titles)),
    ...(report.targets.length > 0 ? [renderTargets(report)] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

function renderScenario(scenario: ScenarioResult, titles: ReadonlyMap<string, string>): string {
  const [main, ...others] = scenario.metrics
  const baseline = titles.get(scenario.baseline)
  const table = new Table({
    head: [
      '',
      `${main?.title}`,
      'spread',
      baseline === undefined ? '' : `to ${baseline}`,
      ...others.map(({ title }) => title),
    ],
    style: { head: [], border: ['dim'], compact: true },
    colAligns: ['left', 'right', 'right', 'right', ...others.map(() => 'right' as const)],
  })
  for (const point of scenario.points) {
    table.push([{ content: styleText('bold', point.label), colSpan: 4 + others.length }])
    for (const row of point.rows) table.push(cells(scenario, point, row, titles))
  }
  const skipped = new Map(
    scenario.points.flatMap(({ skipped }) => skipped.map((skip) => [skip.contender, skip.reason] as const)),
  )
  const notes = [...skipped].map(([id, reason]) => styleText('dim', `  not ${titles.get(id)}: ${reason}`))
  return [`${styleText('bold', scenario.title)}. ${scenario.question}`, table.toString(), ...notes].join('\n')
}

function cells(
  scenario: ScenarioResult,
  point: PointResult,
  row: Row,
  titles: ReadonlyMap<string, string>,
): string[] {
  const [main, ...others] = scenario.metrics
  if (!main) return []
  const figure = row.figures[main.id]
  const { baseline } = scenario
  const raw = baselineFigure(point, main, baseline)
  const compared = figure && raw && row.contender !== baseline ? ratio(figure, raw).median : undefined
  return [
    `  ${titles.get(row.contender)}`,
    figure ? formatFigure(figure.median, main.unit) : '',
    figure ? `${formatFigure(figure.min, main.unit)} to ${formatFigure(figure.max, main.unit)}` : '',
    compared === undefined ? '' : coloured(compared, main.better),
    ...others.map(({ id, unit }) => {
      const other = row.figures[id]
      return other ? formatFigure(other.median, unit) : ''
    }),
  ]
}

function coloured(value: number, better: 'lower' | 'higher'): string {
  const gain = better === 'higher' ? value : 1 / value
  if (gain >= 1.1) return styleText('green', formatRatio(value))
  return gain < 0.9 ? styleText('red', formatRatio(value)) : formatRatio(value)
}

function renderTargets(report: Report): string {
  const table = new Table({
    head: ['target', 'bound', 'measured (spread)', ''],
    style: { head: [], border: ['dim'], compact: true },
  })
  for (const { title, target, measured, holds } of report.targets) {
    table.push([
      title,
      target,
      measured,
      holds ? styleText('green', 'holds') : styleText('red', 'does not hold'),
    ])
  }
  return `${styleText('bold', 'Targets')}\n${table.toString()}`
}

/** Text without colours, for files and pipes. */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
}
