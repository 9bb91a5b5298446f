import { expect, test } from 'vitest'
import { renderMarkdown, replaceSection } from './readme.js'
import { sampleReport } from './sample-report.js'

test('the table has a line for each comparison and says how to reproduce it', () => {
  const markdown = renderMarkdown(sampleReport())
  expect(markdown).toContain('| one way, 64 B, messages/s | 3.00 × | 4.00 × |')
  expect(markdown).toContain('| round trip, 64 B, median time | 0.33 × | 0.25 × |')
  expect(markdown).toContain('`npx pnpm bench --quick`')
  const [head, ...lines] = markdown.split('\n').filter((line) => line.startsWith('|'))
  for (const line of lines) expect(line.split('|').length).toBe(head?.split('|').length)
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
