/**
 * Runs the steps of `npm test` one after the other, and with `--deep` those that take longer.
 * The last line is `N passed, N failed, N skipped`.
 */
import { Command } from 'commander'
import { runStep } from './step.js'
import { deepSteps, steps } from './steps.js'

const program = new Command('npm test --')
  .description('Runs every check of the repository.')
  .option('--deep', 'also what takes longer than npm test may')
  .option('--only <names>', 'comma-separated names of the steps to run')
  .option('--list', 'print the steps and their budgets')
  .parse()
const options = program.opts<{ deep?: boolean; only?: string; list?: boolean }>()

const available = options.deep ? [...steps, ...deepSteps] : steps
const names = options.only?.split(',')
const unknown = names?.filter((name) => !available.some((step) => step.name === name))
if (unknown?.length) program.error(`no such step: ${unknown.join(', ')}; --list shows them`)
const selected = available.filter((step) => !names || names.includes(step.name))

if (options.list) {
  for (const step of selected) console.log(`${step.name.padEnd(20)} ${step.budgetMinutes} min`)
} else {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const rows: string[] = []
  const failures: string[] = []
  for (const step of selected) {
    console.log(`\n━━ ${step.name}`)
    const start = performance.now()
    const outcome = await runStep(step)
    const seconds = Math.round((performance.now() - start) / 1000)
    for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += outcome[key]
    const line = `${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped`
    rows.push(
      `${outcome.failed ? '✗' : '✓'} ${step.name.padEnd(20)} ${line} (${seconds} s of ${step.budgetMinutes * 60} s)`,
    )
    failures.push(...outcome.failures.map((failure) => `failed: ${step.name}: ${failure}`))
  }
  console.log(`\n${[...rows, ...failures].join('\n')}`)
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
}
