/** The page of the HTML report: builds itself from the JSON beside it. Runs in a browser. */
import './page.css'
import { BarChart, LineChart } from 'echarts/charts'
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components'
import { type EChartsCoreOption, type EChartsType, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { baselineFigure } from '../../figures/baseline.js'
import { formatFigure, formatRatio } from '../../figures/format.js'
import type { PointResult, Report, ScenarioResult } from '../../figures/report.js'
import { ratio } from '../../figures/statistics.js'
import { barChart, DIMENSION_TITLES, dimensionOf, percentileChart, trendChart } from './charts.js'
import { currentTheme, type Theme } from './theme.js'

use([BarChart, LineChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, SVGRenderer])

const report = JSON.parse(document.getElementById('data')?.textContent ?? '') as Report
const drawings: (() => void)[] = []

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<Omit<HTMLElementTagNameMap[K], 'style'>> = {},
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

/** A chart that is drawn again when the theme, the width or what it shows changes. */
function chart(title: string, option: (theme: Theme) => EChartsCoreOption | undefined): HTMLElement {
  const box = element('div', { className: 'chart' })
  const figure = element('div', {}, [element('h3', {}, [title]), box])
  let drawn: EChartsType | undefined
  drawings.push(() => {
    const options = option(currentTheme(report.contenders))
    figure.hidden = options === undefined
    if (!options) return
    drawn ??= init(box, undefined, { renderer: 'svg' })
    drawn.resize()
    drawn.setOption(options, true)
  })
  return figure
}

function drawAll(): void {
  for (const draw of drawings) draw()
}

function header(): Node[] {
  const { machine } = report
  const minutes = Math.max(1, Math.round(report.durationMs / 60_000))
  return [
    element('h1', {}, ['netts and its peers, in one run']),
    element('p', {}, [
      'Ratios are the result. Absolute figures are those of this machine: ',
      `${machine.cpu}, ${machine.cores} cores${machine.virtual ? ` (${machine.virtual})` : ''}, `,
      `${machine.system}, Node.js ${machine.node}.`,
    ]),
    element('p', { className: 'muted' }, [
      `${new Date(report.startedAt).toUTCString()}, ${minutes} min, load before ${machine.loadBefore.toFixed(2)}. `,
      'Medians over interleaved rounds; every payload was verified. ',
      element('code', {}, [report.command]),
    ]),
  ]
}

function targets(): Node[] {
  if (report.targets.length === 0) return []
  const rows = report.targets.map(({ title, target, measured, holds }) =>
    element('tr', {}, [
      element('td', {}, [title]),
      element('td', {}, [target]),
      element('td', {}, [measured]),
      element('td', { className: holds ? 'good' : 'bad' }, [holds ? 'holds' : 'does not hold']),
    ]),
  )
  const head = element('tr', {}, ['Target', 'bound', 'measured (spread)', ''].map(headerCell))
  return [
    element('section', {}, [
      element('h2', {}, ['Targets']),
      element('div', { className: 'table' }, [
        element('table', { className: 'targets' }, [
          element('thead', {}, [head]),
          element('tbody', {}, rows),
        ]),
      ]),
    ]),
  ]
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function headerCell(text: string): HTMLElement {
  return element('th', { scope: 'col' }, [text])
}

function section(scenario: ScenarioResult): HTMLElement {
  const [metric] = scenario.metrics
  const points = scenario.points.filter(({ rows }) => rows.length > 0)
  const [first] = points
  const content: Node[] = [
    element('h2', {}, [scenario.title]),
    element('p', { className: 'muted' }, [scenario.question]),
  ]
  if (!metric || !first) {
    return element('section', {}, [...content, element('p', {}, ['Nothing was measured.'])])
  }
  let shown: PointResult = first
  const charts: HTMLElement[] = []
  const dimension = dimensionOf({ ...scenario, points })
  if (dimension) {
    const trends = scenario.metrics.filter(({ id }) => id === metric.id || id === 'bandwidth')
    for (const trend of trends) {
      charts.push(
        chart(`${capitalised(trend.title)} by ${DIMENSION_TITLES[dimension]}`, (theme) =>
          trendChart(report, { ...scenario, points }, dimension, trend, theme),
        ),
      )
    }
  }
  const title = baselineFigure(first, metric, scenario.baseline) ? 'Ratio' : capitalised(metric.title)
  charts.push(chart(title, (theme) => barChart(report, shown, metric, scenario.baseline, theme)))
  if (points.some(({ rows }) => rows.some(({ latency }) => latency))) {
    charts.push(chart('Latency by percentile', (theme) => percentileChart(report, shown, theme)))
  }
  if (points.length > 1) {
    const select = element(
      'select',
      { ariaLabel: `${scenario.title}: what the charts show` },
      points.map((point, i) => element('option', { value: String(i) }, [point.label])),
    )
    select.addEventListener('change', () => {
      shown = points[Number(select.value)] ?? first
      drawAll()
    })
    content.push(select)
  } else {
    content.push(element('p', {}, [first.label]))
  }
  content.push(element('div', { className: 'charts' }, charts), details(scenario, points))
  return element('section', { id: scenario.id }, content)
}

function details(scenario: ScenarioResult, points: readonly PointResult[]): HTMLElement {
  const titles = new Map(report.contenders.map(({ id, title }) => [id, title]))
  const [main] = scenario.metrics
  const head = [
    '',
    ...scenario.metrics.map(({ title }) => title),
    'spread',
    `to ${titles.get(scenario.baseline) ?? ''}`,
  ]
  const rows = points.flatMap((point) => {
    const raw = main && baselineFigure(point, main, scenario.baseline)
    return [
      element('tr', {}, [element('th', { colSpan: head.length }, [point.label])]),
      ...point.rows.map(({ contender, figures }) => {
        const figure = main && figures[main.id]
        const cells = [
          titles.get(contender) ?? contender,
          ...scenario.metrics.map(({ id, unit }) => {
            const value = figures[id]
            return value ? formatFigure(value.median, unit) : ''
          }),
          figure ? `${formatFigure(figure.min, main.unit)} to ${formatFigure(figure.max, main.unit)}` : '',
          figure && raw ? formatRatio(ratio(figure, raw).median) : '',
        ]
        return element(
          'tr',
          {},
          cells.map((text) => element('td', {}, [text])),
        )
      }),
    ]
  })
  const skipped = new Map(
    points.flatMap((point) => point.skipped.map((skip) => [skip.contender, skip.reason])),
  )
  return element('details', {}, [
    element('summary', {}, ['Every figure']),
    element('div', { className: 'table' }, [
      element('table', {}, [
        element('thead', {}, [element('tr', {}, head.map(headerCell))]),
        element('tbody', {}, rows),
      ]),
    ]),
    ...[...skipped].map(([contender, reason]) =>
      element('p', { className: 'muted' }, [`Not ${titles.get(contender) ?? contender}: ${reason}.`]),
    ),
  ])
}

function contenders(): HTMLElement {
  return element('section', {}, [
    element('h2', {}, ['Who takes part']),
    element(
      'ul',
      {},
      report.contenders.map(({ title, about }) =>
        element('li', {}, [element('strong', {}, [title]), `: ${about}`]),
      ),
    ),
  ])
}

document
  .getElementById('report')
  ?.append(...header(), ...targets(), ...report.scenarios.map(section), contenders())
drawAll()
addEventListener('resize', drawAll)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll)
