import { expect, test } from 'vitest'
import { spread } from '../figures/statistics.js'
import { renderMarkdown, replaceSection } from './readme.js'
import { renderRingMarkdown } from './ring-readme.js'
import { sampleReport } from './sample-report.js'

test('the table has a line for each comparison and says how to reproduce it', () => {
  const markdown = renderMarkdown(sampleReport())
  expect(markdown).toContain('| one way, 64 B, messages/s | 3.00 × | 4.00 × |')
  expect(markdown).toContain('| round trip, 64 B, median time | 0.33 × | 0.25 × |')
  expect(markdown).toContain('`npx pnpm bench --quick`')
  isTable(markdown)
})

test('the table of the ring says how many times as good as sendrecv it is, whatever is better for a figure', () => {
  const report = sampleReport()
  const figures = (ring: boolean) => ({
    p50: spread(ring ? [20, 20] : [10, 30]),
    p99: spread([10]),
    rate: spread(ring ? [300] : [100]),
    cpuClient: spread(ring ? [3] : [1]),
    cpuServer: spread(ring ? [5] : [1]),
  })
  const scenarios = report.scenarios.map((scenario) => ({
    ...scenario,
    points: scenario.points.map((point) => ({
      ...point,
      rows: point.rows.map((row) => ({ ...row, figures: figures(row.contender.includes('ring')) })),
    })),
  }))
  const markdown = renderRingMarkdown({ ...report, scenarios })
  expect(markdown).toContain('| 64 B | 1.00 × | 1.00 × | 0.25 × | 3.00 × | 0.25 × |')
  expect(markdown).toContain('| 1 MiB |')
  isTable(markdown)
})

test('a report without the scenarios of a table leaves the table as it is', () => {
  const report = sampleReport()
  const only = (...ids: string[]) => ({
    ...report,
    scenarios: report.scenarios.filter(({ id }) => ids.includes(id)),
  })
  expect(renderMarkdown(only('loopback-sizes', 'loopback-throughput'))).toBeUndefined()
  expect(renderRingMarkdown(only('loopback-sizes', 'round-trip'))).toBeUndefined()
  expect(renderRingMarkdown(only('loopback-sizes', 'loopback-throughput'))).toBeDefined()
})

function isTable(markdown: string | undefined): void {
  const [head, ...lines] = markdown?.split('\n').filter((line) => line.startsWith('|')) ?? []
  expect(lines.length).toBeGreaterThan(1)
  for (const line of lines) expect(line.split('|').length).toBe(head?.split('|').length)
}

test('a sentence beside the table says what the slowest and the fastest of node:net come to', () => {
  const report = sampleReport()
  const rates: Record<string, number> = { tcp: 4400, naive: 100, 'corked-framing': 2200, 'net-cork': 3142 }
  const scenarios = report.scenarios.map((scenario) => ({
    ...scenario,
    points: scenario.points.map((point) => ({
      ...point,
      rows: point.rows.map((row) => ({
        ...row,
        figures: { ...row.figures, rate: spread([rates[row.contender] ?? 1]) },
      })),
    })),
  }))
  expect(renderMarkdown({ ...report, scenarios })).toContain(
    'Of 64 B messages a second, one way, `@netts/tcp` moves 44 times as many as naive framing (as most people write ' +
      'it on `node:net`), 2.0 times as many as corked framing (as an expert writes it there), and 1.4 times as many as ' +
      '`node:net` corked (raw bytes, no messages).',
  )
})

test('the sentence leaves out who did not take part, and is not there when nobody did', () => {
  const report = sampleReport()
  const only = (...ids: string[]) =>
    renderMarkdown({
      ...report,
      scenarios: report.scenarios.map((scenario) => ({
        ...scenario,
        points: scenario.points.map((point) => ({
          ...point,
          rows: point.rows.filter(({ contender }) => ids.includes(contender)),
        })),
      })),
    })
  expect(only('tcp', 'naive')).toMatch(/moves [\d.]+ times as many as naive framing \([^)]*\)\.\n/)
  expect(only('tcp', 'net')).not.toContain('times as many')
  expect(only('naive', 'net')).not.toContain('times as many')
})

test('only what is between the markers changes', () => {
  const text = 'before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n'
  const updated = replaceSection(text, 'new')
  expect(updated).toBe('before\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nafter\n')
  expect(replaceSection(updated, 'new')).toBe(updated)
})

test.each([
  'no markers',
  '<!-- bench:begin -->',
  '<!-- bench:end --> <!-- bench:begin -->',
  '<!-- bench:begin --> <!-- bench:begin --> <!-- bench:end -->',
])('a text without one pair of markers is refused: %s', (text) => {
  expect(() => replaceSection(text, 'new')).toThrow('once each')
})
