/** The ratios in the READMEs: written by this file between two markers, never by hand. */
import { readFile, writeFile } from 'node:fs/promises'
import { RAW } from '../contenders/index.js'
import { formatRatio } from '../figures/format.js'
import { figureOf, type PointResult, type Report, type ScenarioResult } from '../figures/report.js'
import { ratio } from '../figures/statistics.js'
import { renderRingMarkdown } from './ring-readme.js'

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

/** The lines of the table: a scenario, one of its points, and the metric that is compared. */
const LINES = [
  { scenario: 'throughput', byteLength: 64, metric: 'rate', title: 'one way, 64 B, messages/s' },
  { scenario: 'throughput', byteLength: 1 << 20, metric: 'bandwidth', title: 'one way, 1 MiB, MB/s' },
  { scenario: 'throughput-64', byteLength: 64, metric: 'rate', title: '64 connections, 64 B, messages/s' },
  { scenario: 'round-trip', byteLength: 64, metric: 'p50', title: 'round trip, 64 B, median time' },
  { scenario: 'throughput', byteLength: 64, metric: 'cpuServer', title: 'processor time to receive 64 B' },
  { scenario: 'churn', byteLength: 64, metric: 'rate', title: 'connect, use once, close, per second' },
] as const

/** Who gets a column, in this order, if it took part. */
const COLUMNS = ['naive', 'corked-framing', 'net-cork', 'ws', 'zeromq', 'tcp-await', 'tcp', 'tcp-zero-copy']

/** What goes between the markers of which files. */
const READMES = [
  { render: renderMarkdown, paths: ['README.md', 'tooling/bench/README.md'] },
  { render: renderRingMarkdown, paths: ['packages/rdma-ring/README.md'] },
]

/** What the sentence below the table compares `@netts/tcp` to, from the slowest on. */
const SENTENCE_PEERS = [
  { id: 'naive', name: 'naive framing', words: 'as most people write it on `node:net`' },
  { id: 'corked-framing', name: 'corked framing', words: 'as an expert writes it there' },
  { id: 'net-cork', name: '`node:net` corked', words: 'raw bytes, no messages' },
]

/** The section between the markers, in Markdown, or `undefined` when the report has nothing that belongs there. */
export function renderMarkdown(report: Report): string | undefined {
  if (!report.scenarios.some(({ id }) => LINES.some(({ scenario }) => scenario === id))) return undefined
  const taking = COLUMNS.filter((id) => report.contenders.some((contender) => contender.id === id))
  const titles = new Map(report.contenders.map(({ id, title }) => [id, title]))
  const lines = LINES.flatMap(({ scenario, byteLength, metric, title }) => {
    const measured = report.scenarios.find(({ id }) => id === scenario)
    const point = measured?.points.find((candidate) => candidate.byteLength === byteLength)
    const cells = measured && point && compare(measured, point, metric, taking)
    return cells ? [`| ${[title, ...cells].join(' | ')} |`] : []
  })
  const { machine, startedAt, command } = report
  return [
    `How many times as good as raw \`node:net\`, which knows no messages: more is better.`,
    '',
    `| | ${taking.map((id) => titles.get(id)).join(' | ')} |`,
    `|---|${taking.map(() => '---:|').join('')}`,
    ...lines,
    '',
    ...sentence(report),
    `Medians of interleaved rounds on ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node.js ${machine.node}, ${startedAt.slice(0, 10)}. Reproduce with \`${command}\`.`,
  ].join('\n')
}

/** What the first line of the table says, in words: how it looks beside the slowest and the fastest of `node:net`. */
function sentence(report: Report): string[] {
  const rate = (contender: string) =>
    figureOf(report.scenarios, { scenario: 'throughput', byteLength: 64, contender, metric: 'rate' })
  const netts = rate('tcp')
  const parts = SENTENCE_PEERS.flatMap(({ id, name, words }) => {
    const peer = rate(id)
    return netts && peer ? [`${times(ratio(netts, peer).median)} as many as ${name} (${words})`] : []
  })
  if (parts.length === 0) return []
  const list = new Intl.ListFormat('en').format(parts)
  return [`Of 64 B messages a second, one way, \`@netts/tcp\` moves ${list}.`, '']
}

function times(ratio: number): string {
  return `${ratio.toFixed(ratio >= 10 ? 0 : 1)} times`
}

function compare(
  scenario: ScenarioResult,
  point: PointResult,
  metric: string,
  contenders: readonly string[],
): string[] | undefined {
  const figureOf = (id: string) => point.rows.find(({ contender }) => contender === id)?.figures[metric]
  const raw = figureOf(RAW)
  const better = scenario.metrics.find(({ id }) => id === metric)?.better
  if (!raw) return undefined
  return contenders.map((id) => {
    const figure = figureOf(id)
    if (!figure) return ''
    return formatRatio((better === 'higher' ? ratio(figure, raw) : ratio(raw, figure)).median)
  })
}

/**
 * Replaces what is between the markers.
 * @throws Error when the text has not exactly one pair of markers, in order
 */
export function replaceSection(text: string, section: string): string {
  const [before, rest, ...more] = text.split(BEGIN)
  const [old, after, ...others] = rest?.split(END) ?? []
  if (before === undefined || old === undefined || after === undefined || more.length + others.length > 0) {
    throw new Error(`it must have ${BEGIN} and ${END} once each, in this order`)
  }
  return `${before}${BEGIN}\n${section}\n${END}${after}`
}

/** Updates the files that have the markers, if the report has what belongs there. @throws Error naming the file that can't be */
export async function updateReadmes(report: Report): Promise<void> {
  for (const { render, paths } of READMES) {
    const section = render(report)
    if (section === undefined) continue
    for (const path of paths) {
      const file = new URL(`../../../../${path}`, import.meta.url)
      try {
        await writeFile(file, replaceSection(await readFile(file, 'utf8'), section))
      } catch (error) {
        throw new Error(`${path} could not be updated: ${(error as Error).message}`, { cause: error })
      }
    }
  }
}
