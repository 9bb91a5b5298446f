/** Runs `netts doctor` in a process of its own, from a test that is its own program. */
import { spawnSync } from 'node:child_process'
import type { Finding } from '../src/doctor/finding.js'

const RUN = 'NETTS_TEST_RUNS_NETTS'

/** Whether this process is one that {@link doctor} started: then it is `netts`, and no test. */
export async function isNetts(): Promise<boolean> {
  if (process.env[RUN] === undefined) return false
  await import('../src/main.js')
  return true
}

/** How to run it. */
export interface DoctorRun {
  /** A command that runs it, such as `prlimit`, with its options. */
  readonly through?: readonly string[]
  readonly options?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** What it said. */
export interface DoctorAnswer {
  readonly status: number | null
  readonly works: boolean
  readonly findings: readonly Finding[]
  readonly stderr: string
}

/** Runs `netts doctor --json`. */
export function doctor({ through = [], options = [], env = {} }: DoctorRun = {}): DoctorAnswer {
  const arguments_ = ['doctor', '--json', '--quiet', ...options]
  const [command, ...rest] = [...through, process.execPath, process.argv[1]!, ...arguments_]
  const { stdout, stderr, status } = spawnSync(command!, rest, {
    env: { ...process.env, ...env, [RUN]: '1' },
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 64 << 20,
  })
  if (stdout === '') throw new Error(`netts doctor printed nothing and ended with ${status}: ${stderr}`)
  const { works, findings } = JSON.parse(stdout) as Pick<DoctorAnswer, 'works' | 'findings'>
  return { status, works, findings, stderr }
}
