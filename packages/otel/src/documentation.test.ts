/** The README lists every metric and span, and no other. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const here = (path: string) => new URL(path, import.meta.url)
const readme = readFileSync(here('../README.md'), 'utf8')
const sources = readdirSync(here('.'))
  .filter((name) => !name.includes('.test.'))
  .map((name) => readFileSync(here(name), 'utf8'))
  .join('\n')

it('lists every metric', () => {
  const made = [...sources.matchAll(/(?:create\w+\(|name: )\s*'(netts\.[\w.]+)'/g)].map(([, name]) => name)
  const listed = [...readme.matchAll(/^\| `(netts\.[\w.]+)`\s+\| /gm)].map(([, name]) => name)
  expect(listed.sort()).toEqual(made.sort())
  expect(made.length).toBeGreaterThan(15)
})

it('lists every span', () => {
  const made = [...sources.matchAll(/'(netts \w+)'/g)].map(([, name]) => name)
  const listed = [...readme.matchAll(/^\| `(netts \w+)`\s+\| /gm)].map(([, name]) => name)
  expect(listed.sort()).toEqual(made.sort())
})
