import { expect, test } from 'vitest'
import { scenarios } from '../plan.js'
import { sampleReport } from './sample-report.js'
import { plain, renderTerminal } from './terminal.js'

const text = plain(renderTerminal(sampleReport()))

/** The lines of a scenario's table that are a contender's. */
function rowsOf(title: string): string[] {
  const [, section = ''] = text.split(`\n${title}. `)
  const [table = ''] = section.split('\n\n')
  return table.split('\n').filter((line) => line.startsWith('│   '))
}

test('every scenario has its table', () => {
  for (const { title } of scenarios) expect(rowsOf(title).length).toBeGreaterThan(0)
})

test('figures are compared to node:net, but for growth, which may be nothing', () => {
  const row = (title: string) => rowsOf(title).find((line) => line.includes('@netts/tcp  '))
  expect(row('Idle connections')).toMatch(/[\d.]+ ×/)
  expect(row('Memory after a broadcast')).toMatch(/KiB/)
  expect(row('Memory after a broadcast')).not.toContain('×')
})
