/** What the README says about this package is true. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { DIAGNOSTICS_CHANNELS } from './diagnostics.js'
import { ERROR_CODES } from './errors.js'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The sources of every package, without tests and the table itself. */
function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'build'].includes(entry.name) ? [] : sources(path)
    const isSource = /\.(ts|cc|h)$/.test(entry.name) && !/\.test\.ts$/.test(entry.name)
    return isSource && !path.endsWith(join('core', 'src', 'errors.ts')) ? [readFileSync(path, 'utf8')] : []
  })
}

describe('the README', () => {
  it('lists every error code with its meaning, and no other', () => {
    const rows = [...readme.matchAll(/^\| `(ERR_NETTS_\w+)` \| (.*) \|$/gm)]
    expect(Object.fromEntries(rows.map(([, code, meaning]) => [code, meaning]))).toEqual(ERROR_CODES)
    expect(rows.length).toBe(Object.keys(ERROR_CODES).length)
  })

  it('lists every diagnostics channel', () => {
    const rows = [...readme.matchAll(/^\| `(netts:[\w:-]+)` \|/gm)].map(([, name]) => name)
    expect(rows.sort()).toEqual(Object.values(DIAGNOSTICS_CHANNELS).sort())
  })
})

describe('the table of error codes', () => {
  const used = new Set(
    ['packages', 'native'].flatMap((folder) =>
      sources(join(repository, folder)).flatMap((text) => text.match(/ERR_NETTS_[A-Z_]+/g) ?? []),
    ),
  )
  // Those of `errors.ts` itself: what its own factories make.
  for (const code of readFileSync(new URL('errors.ts', import.meta.url), 'utf8').matchAll(
    /NettsError\(\s*'(ERR_NETTS_[A-Z_]+)'/g,
  )) {
    used.add(code[1]!)
  }

  it.each(Object.keys(ERROR_CODES))('has %s because some package uses it', (code) => {
    expect(used).toContain(code)
  })

  it('has every code that some package uses', () => {
    expect([...used].filter((code) => !Object.hasOwn(ERROR_CODES, code))).toEqual([])
  })
})
