/** Holds what the doctor said against the tables of `docs/doctor.md`, which tell users what it says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Finding } from '../src/doctor/finding.js'

const ROW =
  /^\| (?<condition>[^|]+?) +\| (?<verdict>\w+) +\| (?<check>\w+) +\| (?<says>(?:[^|\\]|\\.)+?) +\|$/gm

interface Row {
  readonly condition: string
  readonly verdict: string
  readonly check: string
  readonly says: string
}

const rows = [...readFileSync(new URL('../docs/doctor.md', import.meta.url), 'utf8').matchAll(ROW)].map(
  ({ groups }) => ({ ...groups, says: groups!.says!.replaceAll('\\|', '|') }) as Row,
)

/** `…` stands for anything. */
function patternOf(says: string): RegExp {
  const literal = says.split('…').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`, 's')
}

/**
 * Fails unless the doctor said every row of this condition.
 * @param exceptCheck a check that is left out, as other tests have a say in what it finds
 */
export function assertSaid(condition: string, findings: readonly Finding[], exceptCheck?: string): void {
  const wanted = rows.filter((row) => row.condition === condition && row.check !== exceptCheck)
  assert.notEqual(wanted.length, 0, `docs/doctor.md has no row of “${condition}”`)
  for (const { verdict, check, says } of wanted) {
    const isSaid = findings.some(
      (finding) =>
        finding.verdict === verdict &&
        finding.check === check &&
        patternOf(says).test(
          `${finding.message}${finding.remedy === undefined ? '' : ` → ${finding.remedy}`}`,
        ),
    )
    const all = findings.map((one) => `${one.verdict} ${one.check} ${one.message} → ${one.remedy ?? ''}`)
    assert.ok(isSaid, `${verdict} ${check}: ${says}\nis not said, but\n${all.join('\n')}`)
  }
}
