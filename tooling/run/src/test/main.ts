/**
 * Runs the steps of `npm test`, two at a time, and with `--deep` then those that take longer, one after the other.
 * The last line is `N passed, N failed, N skipped`.
 */
import { Command } from 'commander'
import { runStep, type Step } from './step.js'
import { deepSteps, steps } from './steps.js'
import { Outputs, runInTurns } from './turns.js'

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
  const outputs = new Outputs((data) => process.stdout.write(data))
  const run = async (step: Step) => {
    const output = outputs.open()
    output.write(`\n━━ ${step.name}\n`)
    const start = performance.now()
    const outcome = await runStep(step, output)
    output.end()
    const seconds = Math.round((performance.now() - start) / 1000)
    for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += outcome[key]
    const line = `${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped`
    rows.push(
      `${outcome.failed ? '✗' : '✓'} ${step.name.padEnd(20)} ${line} (${seconds} s of ${step.budgetMinutes * 60} s)`,
    )
    failures.push(...outcome.failures.map((failure) => `failed: ${step.name}: ${failure}`))
  }
  const isDeep = (step: Step) => deepSteps.includes(step)
  await runInTurns(
    selected.filter((step) => !isDeep(step)),
    2,
    run,
  )
  await runInTurns(selected.filter(isDeep), 1, run)
  console.log(`\n${[...rows, ...failures].join('\n')}`)
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
}
