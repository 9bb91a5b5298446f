/** The table at the end of `npm start`. */
import Table from 'cli-table3'
import type { Measurement } from './measure.js'

/** One transport's row. */
export type Row = { readonly name: string; readonly title: string } & (
  | ({ readonly outcome: 'verified' } & Measurement)
  | { readonly outcome: 'failed' | 'unavailable'; readonly reason: string }
)

/** The rows as a table for a terminal. */
export function renderTable(rows: readonly Row[]): string {
  const table = new Table({
    head: ['transport', '64 B round trip p50', 'p99', '64 B messages/s', '64 KiB MB/s'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    colWidths: [24, 22, 14, 18, 14],
    style: { head: [], border: [] },
    wordWrap: true,
  })
  for (const row of rows) {
    if (row.outcome === 'verified') {
      table.push([
        row.title,
        `${row.roundTripP50.toFixed(1)} µs`,
        `${row.roundTripP99.toFixed(1)} µs`,
        Math.round(row.messagesPerSecond).toLocaleString('en'),
        row.megabytesPerSecond.toFixed(0),
      ])
    } else {
      const what = row.outcome === 'failed' ? 'FAILED' : 'not available here'
      table.push([row.title, { colSpan: 4, hAlign: 'left', content: `${what}: ${row.reason}` }])
    }
  }
  const isVerified = rows.every(({ outcome }) => outcome !== 'failed')
  return isVerified ? `${table.toString()}\nEvery byte of every message was verified.` : table.toString()
}
