/**
 * Programs of users under other environments than plain vitest: jest and its sandboxes, fake timers, values of another
 * realm, and a process in which nothing lives but what netts keeps alive.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ScratchProject } from './scratch-project.js'
import { pack, publicPackages } from './workspace.js'

const { resolve } = createRequire(import.meta.url)
const PROGRAMS = fileURLToPath(new URL('programs', import.meta.url))
const project = new ScratchProject()
const destination = mkdtempSync(join(tmpdir(), 'netts-tarballs-'))

beforeAll(() => {
  const all = publicPackages()
  const tarballs = new Map(all.map((target) => [target.name, pack(target, destination)]))
  project.install([...tarballs.keys()], tarballs)
  cpSync(PROGRAMS, project.directory, { recursive: true })
})
afterAll(() => {
  project[Symbol.dispose]()
  rmSync(destination, { recursive: true, force: true })
})

/** How long all tests of jest may take: a second for each environment, and many times that where they fail. */
const JEST_DEADLINE_MS = 150_000

/** As much of jest's JSON report as is looked at. */
interface JestReport {
  readonly testResults: readonly {
    /** The test file's path. */
    readonly name: string
    /** Everything that failed, as text. */
    readonly message: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** Every environment of jest, with the timers that it has and with fake ones from the first line on. */
const ENVIRONMENTS = [
  { name: 'node', testEnvironment: 'node', fakeTimers: false },
  { name: 'node with fake timers', testEnvironment: 'node', fakeTimers: true },
  { name: 'jsdom', testEnvironment: resolve('jest-environment-jsdom'), fakeTimers: false },
  { name: 'jsdom with fake timers', testEnvironment: resolve('jest-environment-jsdom'), fakeTimers: true },
]

describe('jest', () => {
  let report: JestReport

  beforeAll(() => {
    const projects = ENVIRONMENTS.map(({ name, testEnvironment, fakeTimers }) => {
      cpSync(join(PROGRAMS, 'jest'), join(project.directory, name), { recursive: true })
      return {
        displayName: name,
        rootDir: join(project.directory, name),
        testEnvironment,
        testMatch: ['**/*.test.cjs'],
        transform: {},
        fakeTimers: { enableGlobally: fakeTimers },
      }
    })
    const cacheDirectory = join(project.directory, 'jest-cache')
    project.write('jest.config.json', JSON.stringify({ projects, cacheDirectory, testTimeout: 5_000 }))
    const bin = join(dirname(resolve('jest/package.json')), 'bin/jest.js')
    const flags = ['--runInBand', '--forceExit', '--json', '--outputFile=report.json']
    const { stderr } = project.run(bin, flags, JEST_DEADLINE_MS)
    try {
      report = JSON.parse(readFileSync(join(project.directory, 'report.json'), 'utf8'))
    } catch (error) {
      throw new Error(`jest wrote no report:\n${stderr}`, { cause: error })
    }
  })

  it.each(ENVIRONMENTS)('messages over tcp and mock in the environment $name', ({ name }) => {
    const file = report.testResults.find((result) => dirname(result.name) === join(project.directory, name))
    const results = file?.assertionResults ?? []
    const failed = results.filter(({ status }) => status !== 'passed')
    const reasons = failed.map(
      ({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split('\n', 1)}`,
    )
    expect(reasons).toEqual([])
    // A file that fails to load has no results.
    expect(results.length, file?.message).toBeGreaterThan(0)
  })
})

it('node:test with fake timers sees messages and both kinds of close', () => {
  expect(project.run('node-test/fake-timers.mjs')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^# pass 2\n# fail 0\n# cancelled 0$/m),
  })
})

it.each([
  { program: 'mock-recv', prints: 'hello\ndone\n' },
  { program: 'mock-close', prints: 'done\n' },
  { program: 'mock-connect-deadline', prints: 'ERR_NETTS_TIMEOUT\ndone\n' },
  { program: 'simulated', prints: 'hello\ndone\n' },
  { program: 'other-realm', prints: 'done\n' },
])('the program $program runs to its end', ({ program, prints }) => {
  expect(project.run(`plain/${program}.mjs`)).toMatchObject({ status: 0, stdout: prints, stderr: '' })
})
