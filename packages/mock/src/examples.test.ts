/** The README's unit tests, run as a user would, each by its own runner. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const folder = new URL('..', import.meta.url)
const path = (file: string) => fileURLToPath(new URL(file, folder))

/** @returns the exit status and everything that was printed */
function run(args: readonly string[]): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    // Not the runner's own variables: they would tell node:test that it runs below another one.
    const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env
    const child = spawn(process.execPath, args, { cwd: path('.'), env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString()
    })
    child.stderr.on('data', (data: Buffer) => {
      output += data.toString()
    })
    child.on('error', reject)
    child.on('close', (status) => resolve({ status, output }))
  })
}

const sources = ['--conditions=@netts/source', '--import', 'tsx']

const runners = [
  {
    example: 'examples/ask.vitest.mjs',
    args: [
      fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', folder)),
      'run',
      `--config=${path('examples/vitest.config.ts')}`,
    ],
    passed: /3 passed/,
  },
  {
    example: 'examples/ask.node-test.mjs',
    args: [...sources, '--test', path('examples/ask.node-test.mjs')],
    passed: /# pass 3\b|ℹ pass 3\b/,
  },
]

describe.each(runners)('$example', ({ example, args, passed }) => {
  it('passes under its runner', async () => {
    const { status, output } = await run(args)
    expect(output).toMatch(passed)
    expect(status).toBe(0)
  }, 60_000)

  it('is what the README shows', () => {
    expect(readFileSync(path('README.md'), 'utf8')).toContain(readFileSync(path(example), 'utf8'))
  })
})
