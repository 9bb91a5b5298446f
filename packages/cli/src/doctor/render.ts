/** Renders findings as a table, each with what to do. */
import Table from 'cli-table3'
import type { Finding, Verdict } from './finding.js'

const MARKS: Record<Verdict, string> = {
  ok: '✓',
  note: '·',
  warning: '!',
  problem: '✗',
  skipped: '–',
}

/** A table without lines, so that the text can be searched and pasted. */
const BARE = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ].map((place) => [place, '']),
)

/** @param width of the terminal, in characters */
export function renderFindings(findings: readonly Finding[], width: number): string {
  const table = new Table({
    chars: { ...BARE, middle: ' ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colWidths: [1, 13, Math.max(40, width - 16)],
    wordWrap: true,
  })
  for (const { check, verdict, message, remedy } of findings) {
    const advice = remedy !== undefined && verdict !== 'ok' ? `\n→ ${remedy}` : ''
    table.push([MARKS[verdict], check, message + advice])
  }
  return table.toString().replace(/ +$/gm, '')
}
