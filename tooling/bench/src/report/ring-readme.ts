/** The table in the README of `@netts/rdma-ring` that says where it beats `@netts/rdma-sendrecv`, and where it does not. */
import { formatRatio } from '../figures/format.js'
import { figureOf, type Report } from '../figures/report.js'
import { ratio, type Spread } from '../figures/statistics.js'

const RING = 'loopback-ring-adaptive'
const SENDRECV = 'loopback-sendrecv-adaptive'
const ROUND_TRIP = 'loopback-sizes'
const ONE_WAY = 'loopback-throughput'

interface Column {
  readonly scenario: typeof ROUND_TRIP | typeof ONE_WAY
  readonly title: string
  /** Their sum is compared. */
  readonly metrics: readonly string[]
  readonly better: 'lower' | 'higher'
}

const PROCESSOR = { metrics: ['cpuClient', 'cpuServer'], better: 'lower' } as const
const COLUMNS: readonly Column[] = [
  { scenario: ROUND_TRIP, title: 'round trip, median time', metrics: ['p50'], better: 'lower' },
  { scenario: ROUND_TRIP, title: 'round trip, 99th percentile', metrics: ['p99'], better: 'lower' },
  { scenario: ROUND_TRIP, title: 'round trip, processor time', ...PROCESSOR },
  { scenario: ONE_WAY, title: 'one way, messages/s', metrics: ['rate'], better: 'higher' },
  { scenario: ONE_WAY, title: 'one way, processor time', ...PROCESSOR },
]

/** The section in Markdown, or `undefined` when the report has not both scenarios. */
export function renderRingMarkdown({ scenarios, machine, startedAt }: Report): string | undefined {
  const points = scenarios.find(({ id }) => id === ROUND_TRIP)?.points ?? []
  const lines = points.flatMap(({ label, byteLength }) => {
    const cells = COLUMNS.map(({ scenario, metrics, better }) => {
      const total = (contender: string) =>
        sum(metrics.map((metric) => figureOf(scenarios, { scenario, byteLength, contender, metric })))
      const [ring, sendrecv] = [total(RING), total(SENDRECV)]
      if (!ring || !sendrecv) return undefined
      return formatRatio((better === 'higher' ? ratio(ring, sendrecv) : ratio(sendrecv, ring)).median)
    })
    return cells.includes(undefined) ? [] : [`| ${[label, ...cells].join(' | ')} |`]
  })
  if (lines.length === 0) return undefined
  return [
    'How many times as good as `@netts/rdma-sendrecv`: more is better, and below 1 `@netts/rdma-sendrecv` is better.',
    '',
    `| message | ${COLUMNS.map(({ title }) => title).join(' | ')} |`,
    `|---|${COLUMNS.map(() => '---:|').join('')}`,
    ...lines,
    '',
    `Default options; processor time is that of both ends. Medians of interleaved rounds over the loopback provider on ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node.js ${machine.node}, ${startedAt.slice(0, 10)}. Reproduce with \`npx pnpm bench --only ${ROUND_TRIP},${ONE_WAY}\`.`,
  ].join('\n')
}

/** Round by round. @returns `undefined` when one of them was not measured */
function sum(figures: readonly (Spread | undefined)[]): Pick<Spread, 'values'> | undefined {
  const measured = figures.filter((figure) => figure !== undefined)
  const [first] = measured
  if (!first || measured.length < figures.length) return undefined
  return {
    values: first.values.map((_, round) => measured.reduce((all, { values }) => all + values[round]!, 0)),
  }
}
