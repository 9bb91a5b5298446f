/** An unmodified express application over each transport. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { skippedWires, usableWires } from './wires.js'

it(`an express application answers over every transport${skippedWires}`, () => {
  const program = fileURLToPath(new URL('express.program.ts', import.meta.url))
  const { NODE_OPTIONS: _, ...env } = process.env
  const printed = execFileSync(process.execPath, ['--conditions=@netts/source', '--import', 'tsx', program], {
    encoding: 'utf8',
    env,
  })
  expect(printed.trim().split('\n')).toEqual(
    usableWires.map(({ name }) => `${name}: 200 {"name":"all","sum":6}`),
  )
})
