/** Reads the tables and examples of a driver's pages, so that a test can hold them against the code. */
import assert from 'node:assert/strict'

/** The cells of the table with this heading, row by row. */
export function table(text: string, ...heading: string[]): string[][] {
  const rows: string[][] = []
  let isInside = false
  for (const line of text.split('\n')) {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
    if (heading.length === cells.length && heading.every((name, i) => cells[i] === name)) isInside = true
    else if (cells.length === 0) isInside = false
    else if (isInside && !/^-+$/.test(cells[0]!)) rows.push(cells)
  }
  assert.notDeepEqual(rows, [], `there is no table ${heading.join(', ')}`)
  return rows
}

/** The bytes of the example in front of these words. */
export function example(text: string, words: string): number[] {
  const match = text.match(new RegExp(`\`([0-9a-f ]+)\` ${words}`))
  assert.ok(match, `there is no example that ${words}`)
  return match[1]!
    .trim()
    .split(/\s+/)
    .map((byte) => Number.parseInt(byte, 16))
}

/** What the README's table of options says: each option with its default. */
export function documentedDefaults(readme: string): Record<string, string> {
  const rows = table(readme, 'option', 'default', '')
  return Object.fromEntries(
    rows.map(([option, value]) => [option!.replaceAll('`', ''), value!.replaceAll(/[`']/g, '')]),
  )
}
