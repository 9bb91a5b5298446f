/** One step of `npm test`: a command with a budget, and how its result is counted. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Output, Planned } from './turns.js'

/** How many checks passed, failed and were skipped. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What a step came to. */
export interface Outcome extends Counts {
  /** The names of the checks that failed, as far as the command tells them. */
  readonly failures: readonly string[]
}

/** One step. */
export interface Step extends Planned {
  /**
   * What it may take on 2 cores, in minutes: the budgets of `npm test` keep it within 20, two steps at a time. On a machine that is
   * busy with other things it is ended, and fails, only after {@link DEADLINE_FACTOR} times as long.
   */
  readonly budgetMinutes: number
  /** The command and its arguments, run in the repository's root. */
  readonly command: readonly [string, ...string[]]
  /** Where its counts come from. */
  readonly counted: 'exit-status' | 'vitest' | 'last-line'
}

/** How many budgets make a deadline. */
const DEADLINE_FACTOR = 3

/** Runs a step to its end or its deadline. */
export async function runStep(step: Step, output: Output): Promise<Outcome> {
  const scratch = mkdtempSync(join(tmpdir(), 'netts-test-'))
  try {
    const report = join(scratch, 'report.json')
    const [command, ...args] = step.command
    if (step.counted === 'vitest') {
      args.push('--reporter=default', '--reporter=json', `--outputFile.json=${report}`)
    }
    const { status, lastLines } = await execute(command, args, step.budgetMinutes * DEADLINE_FACTOR, output)
    const outcome = {
      'exit-status': () => ({ passed: status === 0 ? 1 : 0, failed: 0, skipped: 0, failures: [] }),
      vitest: () => vitestOutcome(report, output),
      'last-line': () => linesOutcome(lastLines),
    }[step.counted]()
    if (status === 0 || outcome.failed > 0) return outcome
    // A command that fails without saying which check failed is itself the failed check.
    return { ...outcome, failed: 1, failures: [`exit status ${status}`] }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function execute(command: string, args: string[], deadlineMinutes: number, output: Output) {
  return new Promise<{ status: number; lastLines: readonly string[] }>((resolve) => {
    // A group of its own, so that a step that hangs is ended with everything it started.
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let tail = ''
    child.stdout.on('data', (data: Buffer) => {
      output.write(data)
      tail = (tail + data.toString()).slice(-16_384)
    })
    child.stderr.on('data', (data: Buffer) => output.write(data))
    const timer = setTimeout(() => {
      output.write(`\nended after ${deadlineMinutes} min\n`)
      endGroup(child)
    }, deadlineMinutes * 60_000)
    const onSignal = (signal: NodeJS.Signals) => {
      endGroup(child)
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
    process.once('SIGINT', onSignal)
    process.once('SIGTERM', onSignal)
    const settle = (status: number) => {
      clearTimeout(timer)
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      resolve({ status, lastLines: tail.trimEnd().split('\n') })
    }
    child.on('error', (error) => {
      output.write(`${error.message}\n`)
      settle(1)
    })
    child.on('close', (code) => settle(code ?? 1))
  })
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It had ended already.
  }
}

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { status: string; fullName: string }[]
  }[]
}

function vitestOutcome(file: string, output: Output): Outcome {
  let report: VitestReport
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: ['the report was not written'] }
  }
  const failures: string[] = []
  for (const { name, status, message, assertionResults } of report.testResults) {
    const path = relative(process.cwd(), name)
    for (const test of assertionResults) {
      if (test.status === 'skipped' || test.status === 'pending') output.write(`skipped: ${test.fullName}\n`)
      if (test.status === 'failed') failures.push(`${path}: ${test.fullName}`)
    }
    // A file that fails to load has no failed test of its own.
    const isBroken = status === 'failed' && !assertionResults.some((test) => test.status === 'failed')
    if (isBroken) failures.push(`${path}: ${message.split('\n')[0]}`)
  }
  return {
    passed: report.numPassedTests,
    failed: failures.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures,
  }
}

function linesOutcome(lines: readonly string[]): Outcome {
  const match = /(\d+) passed, (\d+) failed, (\d+) skipped/.exec(lines.at(-1) ?? '')
  if (!match) return { passed: 0, failed: 1, skipped: 0, failures: ['the last line has no counts'] }
  const [passed, failed, skipped] = match.slice(1).map(Number) as [number, number, number]
  const failures = lines.flatMap((line) => (line.startsWith('failed: ') ? [line.slice(8)] : []))
  return { passed, failed, skipped, failures }
}
