/** One step of `npm test`: a command with a budget, and how its result is counted. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How many checks passed, failed and were skipped. */
export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** One step. */
export interface Step {
  readonly name: string
  /**
   * What it may take on 2 cores, in minutes: the budgets of `npm test` add up to 20. On a machine that is
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

/** Runs a step to its end or its deadline. What it prints is shown as it comes. */
export async function runStep(step: Step): Promise<Counts> {
  const scratch = mkdtempSync(join(tmpdir(), 'netts-test-'))
  try {
    const report = join(scratch, 'report.json')
    const [command, ...args] = step.command
    if (step.counted === 'vitest') {
      args.push('--reporter=default', '--reporter=json', `--outputFile.json=${report}`)
    }
    const { status, lastLine } = await execute(command, args, step.budgetMinutes * DEADLINE_FACTOR)
    const counts = {
      'exit-status': () => ({ passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 }),
      vitest: () => vitestCounts(report),
      'last-line': () => lineCounts(lastLine),
    }[step.counted]()
    // A command that fails without saying which check failed is itself the failed check.
    return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function execute(command: string, args: string[], deadlineMinutes: number) {
  return new Promise<{ status: number; lastLine: string }>((resolve) => {
    // A group of its own, so that a step that hangs is ended with everything it started.
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let tail = ''
    child.stdout.on('data', (data: Buffer) => {
      process.stdout.write(data)
      tail = (tail + data.toString()).slice(-4096)
    })
    child.stderr.on('data', (data: Buffer) => process.stderr.write(data))
    const timer = setTimeout(() => {
      console.error(`\nended after ${deadlineMinutes} min`)
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
      resolve({ status, lastLine: tail.trimEnd().split('\n').at(-1) ?? '' })
    }
    child.on('error', (error) => {
      console.error(error.message)
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
  numFailedTestSuites: number
  testResults: { assertionResults: { status: string; fullName: string; meta?: { reason?: string } }[] }[]
}

function vitestCounts(file: string): Counts {
  let report: VitestReport
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
  for (const { assertionResults } of report.testResults) {
    for (const { status, fullName } of assertionResults) {
      if (status === 'skipped' || status === 'pending') console.log(`skipped: ${fullName}`)
    }
  }
  return {
    passed: report.numPassedTests,
    // A file that fails to load has no failed test of its own.
    failed: Math.max(report.numFailedTests, report.numFailedTestSuites > 0 ? 1 : 0),
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

function lineCounts(line: string): Counts {
  const match = /(\d+) passed, (\d+) failed, (\d+) skipped/.exec(line)
  if (!match) return { passed: 0, failed: 1, skipped: 0 }
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3]) }
}
