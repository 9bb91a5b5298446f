/** What each chart shows, as options of ECharts. */
import type { EChartsCoreOption } from 'echarts/core'
import { baselineFigure } from '../../figures/baseline.js'
import { formatFigure, formatRatio } from '../../figures/format.js'
import type { PointResult, Report, ScenarioResult } from '../../figures/report.js'
import { ratio } from '../../figures/statistics.js'
import type { Metric } from '../../scenario.js'
import type { Theme } from './theme.js'

/** What differs between the points of a scenario. */
export type Dimension = 'byteLength' | 'connections' | 'ratePerSecond'

/** The dimensions as axes name them. */
export const DIMENSION_TITLES: Record<Dimension, string> = {
  byteLength: 'payload',
  connections: 'connections',
  ratePerSecond: 'offered messages a second',
}

/** @returns `undefined` when there is but one point */
export function dimensionOf({ points }: ScenarioResult): Dimension | undefined {
  const dimensions: Dimension[] = ['byteLength', 'connections', 'ratePerSecond']
  return dimensions.find((dimension) => new Set(points.map((point) => point[dimension])).size > 1)
}

function frame(theme: Theme, report: Report) {
  return {
    backgroundColor: 'transparent',
    animation: false,
    textStyle: { color: theme.text, fontFamily: 'system-ui, sans-serif' },
    aria: { enabled: true },
    legend: {
      type: 'scroll',
      bottom: 0,
      textStyle: { color: theme.text },
      pageTextStyle: { color: theme.text },
      data: report.contenders.map(({ title }) => title),
    },
    grid: { left: 8, right: 16, top: 24, bottom: 56, containLabel: true },
  }
}

function axis(theme: Theme, name: string) {
  return {
    name,
    nameLocation: 'middle',
    nameTextStyle: { color: theme.muted },
    axisLine: { lineStyle: { color: theme.line } },
    axisLabel: { color: theme.muted, hideOverlap: true },
    splitLine: { lineStyle: { color: theme.line, opacity: 0.6 } },
  }
}

function titleOf(report: Report, id: string): string {
  return report.contenders.find((contender) => contender.id === id)?.title ?? id
}

/** A metric against what differs between the points: both logarithmic. */
export function trendChart(
  report: Report,
  scenario: ScenarioResult,
  dimension: Dimension,
  metric: Metric,
  theme: Theme,
): EChartsCoreOption {
  const labels = scenario.points.map((point) => dimensionLabel(point, dimension))
  return {
    ...frame(theme, report),
    tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => formatOptional(value, metric.unit) },
    xAxis: { type: 'category', data: labels, ...axis(theme, DIMENSION_TITLES[dimension]), nameGap: 28 },
    yAxis: {
      type: 'log',
      ...axis(theme, ''),
      axisLabel: { color: theme.muted, formatter: (value: number) => formatFigure(value, metric.unit) },
    },
    series: report.contenders.map(({ id, title }) => ({
      type: 'line',
      name: title,
      color: theme.colorOf(id),
      connectNulls: true,
      symbolSize: 6,
      lineStyle: { width: title.startsWith('@netts/') ? 2.5 : 1.5 },
      data: scenario.points.map(
        ({ rows }) => rows.find(({ contender }) => contender === id)?.figures[metric.id]?.median ?? null,
      ),
    })),
  }
}

function dimensionLabel(point: PointResult, dimension: Dimension): string {
  if (dimension === 'byteLength') return formatFigure(point.byteLength, 'B').replace(/\.0+ /, ' ')
  if (dimension === 'connections') return String(point.connections)
  return formatFigure(point.ratePerSecond ?? 0, '/s').replace(/\.0+ /, ' ')
}

/** Latency by percentile, the axis stretched towards the slow end. */
export function percentileChart(report: Report, point: PointResult, theme: Theme): EChartsCoreOption {
  // With u nines, 1 - 10^-u of all messages are faster.
  const nines = (percentile: number) => -Math.log10(1 - percentile / 100)
  return {
    ...frame(theme, report),
    tooltip: {
      trigger: 'item',
      formatter: (item: { seriesName?: string; value?: unknown }) => {
        const [u, ns] = item.value as [number, number]
        return `${item.seriesName}<br>p${percentileOf(u)}: ${formatFigure(ns, 'ns')}`
      },
    },
    xAxis: {
      type: 'value',
      min: 0,
      max: (range: { max: number }) => Math.ceil(range.max),
      interval: 1,
      ...axis(theme, 'percentile'),
      nameGap: 28,
      axisLabel: { color: theme.muted, formatter: (u: number) => percentileOf(u) },
    },
    yAxis: {
      type: 'log',
      ...axis(theme, ''),
      axisLabel: { color: theme.muted, formatter: (ns: number) => formatFigure(ns, 'ns') },
    },
    series: point.rows.flatMap(({ contender, latency }) =>
      latency === undefined
        ? []
        : [
            {
              type: 'line',
              name: titleOf(report, contender),
              color: theme.colorOf(contender),
              showSymbol: false,
              data: latency.map(([percentile, ns]) => [nines(percentile), ns]),
            },
          ],
    ),
  }
}

function percentileOf(nines: number): string {
  return String(Number((100 * (1 - 10 ** -nines)).toPrecision(6)))
}

/**
 * One bar a contender: how many times better than the baseline; where that has no figure, or the metric no ratios, the
 * figure itself.
 * The tooltip has the spread.
 */
export function barChart(
  report: Report,
  point: PointResult,
  metric: Metric,
  baseline: string,
  theme: Theme,
): EChartsCoreOption | undefined {
  const raw = baselineFigure(point, metric, baseline)
  const compares = raw !== undefined
  const bars = point.rows.flatMap(({ contender, figures }) => {
    const figure = figures[metric.id]
    if (!figure) return []
    if (!raw) return [{ contender, shown: figure }]
    return [{ contender, shown: metric.better === 'higher' ? ratio(figure, raw) : ratio(raw, figure) }]
  })
  bars.reverse()
  const format = (value: number) => (compares ? formatRatio(value) : formatFigure(value, metric.unit))
  return {
    ...frame(theme, report),
    legend: undefined,
    grid: { left: 8, right: 56, top: 8, bottom: 32, containLabel: true },
    tooltip: {
      trigger: 'item',
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const { contender, shown } = bars[dataIndex] as (typeof bars)[number]
        return `${titleOf(report, contender)}: ${format(shown.median)}<br>${format(shown.min)} to ${format(shown.max)}, ${shown.values.length} rounds`
      },
    },
    xAxis: {
      type: compares ? 'log' : 'value',
      ...axis(theme, compares ? `times as good as ${titleOf(report, baseline)}` : ''),
      nameGap: 24,
      axisLabel: {
        color: theme.muted,
        hideOverlap: true,
        formatter: (value: number) => (compares ? `${value} ×` : formatFigure(value, metric.unit)),
      },
    },
    yAxis: {
      type: 'category',
      data: bars.map(({ contender }) => titleOf(report, contender)),
      axisLabel: { color: theme.text },
      axisLine: { lineStyle: { color: theme.line } },
      axisTick: { show: false },
    },
    series: [
      {
        type: 'bar',
        data: bars.map(({ contender, shown }) => ({
          value: shown.median,
          itemStyle: { color: theme.colorOf(contender) },
        })),
        label: {
          show: true,
          position: 'right',
          color: theme.text,
          formatter: ({ value }: { value?: unknown }) => format(value as number),
        },
      },
    ],
  }
}

function formatOptional(value: unknown, unit: Metric['unit']): string {
  return typeof value === 'number' ? formatFigure(value, unit) : 'not measured'
}
