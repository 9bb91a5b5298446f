import { expect, test } from 'vitest'
import { formatFigure, formatRatio } from './format.js'

test.each([
  [0, 'ns', '0.00 ns'],
  [950, 'ns', '950 ns'],
  [25_600, 'ns', '25.6 µs'],
  [1_540_000, 'ns', '1.54 ms'],
  [1_320_000, '/s', '1.32 M/s'],
  [19.2 * 1024, 'B', '19.2 KiB'],
  [1065, 'MB/s', '1.06 GB/s'],
] as const)('%d %s reads %s', (value, unit, text) => {
  expect(formatFigure(value, unit)).toBe(text)
})

test('a small ratio keeps its digits', () => {
  expect(formatRatio(0.00134)).toBe('0.0013 ×')
  expect(formatRatio(0.97)).toBe('0.97 ×')
  expect(formatRatio(12.34)).toBe('12.3 ×')
})
