/** The table at the end of `npm start`. */
import Table from 'cli-table3'
import { WIRE_NS } from './loopback-provider.js'
import type { Row } from './row.js'

/** The rows as a table for a terminal. @param isEmulated whether they were measured in an emulated machine */
export function renderTable(rows: readonly Row[], isEmulated: boolean): string {
  const table = new Table({
    head: ['transport', '64 B round trip p50', 'p99', '64 B messages/s', '64 KiB MB/s'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    colWidths: [27, 22, 14, 18, 14],
    style: { head: [], border: [] },
    wordWrap: true,
  })
  for (const row of rows) {
    if (row.outcome === 'verified') {
      table.push([
        row.loopbackBecause === undefined ? row.title : `${row.title} *`,
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
  const notes: string[] = []
  if (rows.every(({ outcome }) => outcome !== 'failed')) {
    notes.push('Every byte of every message was verified.')
  }
  const because = rows.find(({ loopbackBecause }) => loopbackBecause !== undefined)?.loopbackBecause
  if (because !== undefined) {
    notes.push(
      `* No RDMA device: the real driver over the real addon, between two processes of this machine, over a stand-in for libibverbs and librdmacm whose wire takes ${WIRE_NS / 1000} µs a way. The machine's own RDMA cannot be used:`,
      `  ${because}`,
    )
  }
  if (isEmulated) {
    notes.push(
      'These figures are of an emulated machine, in which a microsecond of program takes twenty or more. They show that every transport works over the kernel’s own RDMA, and say nothing of its speed, or of which is faster: for that see a machine with an adapter, or npx pnpm bench --only loopback.',
    )
  }
  return [table.toString(), ...notes].join('\n')
}
