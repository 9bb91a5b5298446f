import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { checkOptions } from './options.js'

it('the README lists every option, with its default', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const section = readme.slice(readme.indexOf('## Options'), readme.indexOf('An option out of range'))
  const rows = [...section.matchAll(/^\| `(\w+)`\s*\| (.*?)\s*\|/gm)].map(([, name, value]) => [name, value])
  const { maxConnections, bufferPool, ...defaults } = checkOptions()
  expect(maxConnections).toBe(Number.POSITIVE_INFINITY)
  expect(Object.fromEntries(rows)).toEqual({
    ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
    maxConnections: 'no limit',
    bufferPool: 'one for each `tcp()`',
  })
  expect(bufferPool.domain).toBeTypeOf('symbol')
})
