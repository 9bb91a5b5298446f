/**
 * Runs the RDMA suites: every `*.lab.test.ts` (or those named) in one lab, a process each, and then every
 * `*.hosts.lab.test.ts` on this machine, which opens guests of its own and does things to them. With `--deep` it
 * runs instead those that take many minutes, `*.deep.lab.test.ts` and `*.deep.hosts.lab.test.ts`.
 * The last line is `N passed, N failed, N skipped`.
 */
import { readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { whenAbandoned } from '../abandoned.js'
import type { Host } from '../host.js'
import { type Lab, openLab, openNativeLab, prepareGuests } from '../lab.js'
import { createNativeHost } from '../native/host.js'
import { writeThrough } from '../output.js'
import { temporaryFolder } from '../prepare/cache.js'
import { LabError, reportOnStderr } from '../progress.js'
import { type Counts, countsOf, failedTests } from './counts.js'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const SUFFIX = '.lab.test.ts'
const HOSTS_SUFFIX = '.hosts.lab.test.ts'
/** Suites that take many minutes: run when named, or all of them with `--deep`. */
const DEEP_SUFFIX = '.deep.lab.test.ts'
const DEEP_HOSTS_SUFFIX = '.deep.hosts.lab.test.ts'
/** A file that takes longer hangs. Those on this machine boot guests several times. */
const LAB_TIMEOUT_MS = 300_000
const DEEP_LAB_TIMEOUT_MS = 2_400_000
const HOSTS_TIMEOUT_MS = 600_000
/** Of the tests of one file that failed, so many are named at the end. */
const MOST_NAMES = 10

const total: Counts = { passed: 0, failed: 0, skipped: 0 }
/** What failed, said once more at the end: the tests' own words are thousands of lines above it. */
const failures: string[] = []
const end = (status: number) => () => process.exit(status)
process.on('SIGINT', end(130)).on('SIGTERM', end(143)).on('SIGHUP', end(129))
whenAbandoned(end(129))

await main()
for (const failure of failures) console.log(`failed: ${failure}`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exit(total.failed > 0 ? 1 : 0)

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { deep: { type: 'boolean' } },
    allowPositionals: true,
  })
  const named = positionals.map((path) => resolve(path))
  const files =
    named.length > 0 ? named : findSuites(root).filter((path) => isDeep(path) === (values.deep ?? false))
  const onHosts = files.filter((path) => path.endsWith(HOSTS_SUFFIX))
  const inLab = files.filter((path) => !path.endsWith(HOSTS_SUFFIX))

  const native = inLab.length > 0 ? await openNativeLab() : undefined
  if (native === undefined || onHosts.length > 0) {
    try {
      await prepareGuests(reportOnStderr)
    } catch (error) {
      if (!(error instanceof LabError)) throw error
      // Where RDMA cannot be had a developer goes on without; a build server must have it.
      const verdict = process.env.CI === 'true' ? 'failed' : 'skipped'
      console.log(`${verdict}: the RDMA suites, because the lab cannot run here: ${error.message}`)
      total[verdict]++
      return
    }
  }
  await runInLab(inLab, native)
  await runOnThisMachine(onHosts)
}

/**
 * One lab for all files, and a new one only after a file crashed its kernel. Deep ones have a lab each: they may do
 * things to it that others would not survive, such as deleting its devices.
 */
async function runInLab(files: readonly string[], native: Lab | undefined): Promise<void> {
  let lab = native
  try {
    for (const path of files) {
      if (lab?.host.isUp === false) lab = undefined
      lab ??= await openLab()
      try {
        const program = await lab.host.install(path)
        const node = ['--enable-source-maps', '--test-reporter=spec', program]
        await runSuite(lab.host, path, node, isDeep(path) ? DEEP_LAB_TIMEOUT_MS : LAB_TIMEOUT_MS)
      } catch (error) {
        fail(path, (error as Error).message) // it does not compile, or the guest crashed
      }
      if (isDeep(path)) {
        await lab[Symbol.asyncDispose]()
        lab = undefined
      }
    }
  } finally {
    await lab?.[Symbol.asyncDispose]()
  }
}

async function runOnThisMachine(files: readonly string[]): Promise<void> {
  await using folder = await temporaryFolder()
  const machine = createNativeHost([], folder, undefined)
  for (const path of files) {
    const node = ['--conditions=@netts/source', '--import', 'tsx', '--test-reporter=spec', path]
    await runSuite(machine, path, node, HOSTS_TIMEOUT_MS)
  }
}

async function runSuite(host: Host, path: string, nodeArguments: string[], timeoutMs: number): Promise<void> {
  console.log(`\n── ${relative(root, path)}`)
  let output = ''
  const show = writeThrough(process.stdout)
  const command = host.start([process.execPath, ...nodeArguments], {
    cwd: root,
    timeoutMs,
    onStdout: async (chunk) => {
      output += chunk.toString()
      await show(chunk)
    },
    onStderr: writeThrough(process.stderr),
  })
  const problem = await command.result.then(
    ({ status, signal }) => (status === 0 ? undefined : `it ended with ${signal ?? `exit status ${status}`}`),
    (error: Error) => error.message,
  )
  const counts = countsOf(output)
  if (counts) for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key]
  if (counts === undefined || (problem !== undefined && counts.failed === 0)) {
    fail(path, problem ?? 'it ran no tests')
  } else if (counts.failed > 0) {
    const names = [...new Set(failedTests(output))]
    const more = names.length > MOST_NAMES ? `; and ${names.length - MOST_NAMES} more` : ''
    failures.push(`${relative(root, path)}: ${names.slice(0, MOST_NAMES).join('; ')}${more}`)
  }
}

/** Counts a file that failed as a whole. */
function fail(path: string, reason: string): void {
  failures.push(`${relative(root, path)}: ${reason}`)
  total.failed++
}

function isDeep(path: string): boolean {
  return path.endsWith(DEEP_SUFFIX) || path.endsWith(DEEP_HOSTS_SUFFIX)
}

/** All suites of the workspace, in a stable order. */
function findSuites(folder: string): string[] {
  const skipped = new Set(['node_modules', 'dist', 'build', '.git', '.turbo'])
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : findSuites(path)
      return entry.name.endsWith(SUFFIX) ? [path] : []
    })
}
