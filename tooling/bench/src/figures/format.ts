/** Figures as people read them. */
import type { Metric } from '../scenario.js'

const SCALES: Record<Metric['unit'], readonly (readonly [number, string])[]> = {
  ns: [
    [1e9, 's'],
    [1e6, 'ms'],
    [1e3, 'µs'],
    [1, 'ns'],
  ],
  '/s': [
    [1e6, 'M/s'],
    [1e3, 'k/s'],
    [1, '/s'],
  ],
  'MB/s': [
    [1e3, 'GB/s'],
    [1, 'MB/s'],
  ],
  B: [
    [1024 * 1024, 'MiB'],
    [1024, 'KiB'],
    [1, 'B'],
  ],
  '%': [[1, '%']],
}

/** Three significant digits and the unit that suits: `25.6 µs`, `1.32 M/s`. */
export function formatFigure(value: number, unit: Metric['unit']): string {
  const scales = SCALES[unit]
  const [factor, name] =
    scales.find(([least]) => Math.abs(value) >= least) ?? (scales.at(-1) as [number, string])
  return `${digits(value / factor)} ${name}`
}

/** `12.3 ×`, `0.97 ×`. */
export function formatRatio(value: number): string {
  return `${digits(value)} ×`
}

function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  if (size > 0 && size < 0.1) return value.toPrecision(2)
  return value.toFixed(size >= 10 ? 1 : 2)
}
