/** Formats figures for people. */
import Table from 'cli-table3'

/** Such as `12.3 µs`, `4.56 ms`, `1.20 s`. */
export function formatMicroseconds(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds.toFixed(1)} µs`
  if (microseconds < 1_000_000) return `${(microseconds / 1000).toFixed(2)} ms`
  return `${(microseconds / 1_000_000).toFixed(2)} s`
}

/** Such as `85.2 MB/s`, with decimal units, as is usual for networks. */
export function formatRate(bytesPerSecond: number): string {
  if (bytesPerSecond < 1e6) return `${(bytesPerSecond / 1e3).toFixed(1)} kB/s`
  if (bytesPerSecond < 1e9) return `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`
  return `${(bytesPerSecond / 1e9).toFixed(2)} GB/s`
}

/** Renders a table of figures; the first column is left-aligned. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
    style: { head: [], border: [] },
  })
  table.push(...rows.map((row) => [...row]))
  return table.toString()
}
