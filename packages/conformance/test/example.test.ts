/** The README's example, run under node:test as a user would. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const example = fileURLToPath(new URL('../examples/mock.node-test.mjs', import.meta.url))

it('the suite passes under node:test', { timeout: 120_000 }, async () => {
  // Not the runner's own variables: they would tell node:test that it runs below another one.
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env
  const args = ['--conditions=@netts/source', '--import', 'tsx', '--test', '--test-reporter=tap', example]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
  })
  const status = await new Promise((resolve) => child.on('close', resolve))
  expect(output.match(/^ *not ok .*/gm)).toBeNull()
  expect(Number(/^# pass (\d+)/m.exec(output)?.[1])).toBeGreaterThan(100)
  expect(status).toBe(0)
})

it('is what the README shows', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain(readFileSync(example, 'utf8'))
})
