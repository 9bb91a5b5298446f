/** The pages hold what they promise, as far as that shows without a build: `site.deep.test.ts` makes one. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_CODES } from '@netts/core'
import { Deployment } from 'kubernetes-models/apps/v1'
import { ConfigMap, Pod, Service } from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { anchorsOf, deadLinks, indentedCode, snippets, unmarkedBlocks } from './checks.js'
import { llmsIndex, withSnippets } from './llms.js'
import { SECTIONS } from './pages.js'
import { referencePages } from './reference.js'
import { PAGES } from './repository.js'

const written = readdirSync(PAGES).filter((name) => name.endsWith('.md'))
const pages = new Map([
  ...written.map((name) => [`/${name.slice(0, -3)}`, readFileSync(join(PAGES, name), 'utf8')] as const),
  ...[...referencePages()].map(([name, text]) => [`/reference/${name.slice(0, -3)}`, text] as const),
])

describe.each([...pages.keys()])('%s', (path) => {
  it('has links that lead somewhere', () => {
    expect(deadLinks(path, pages)).toEqual([])
  })

  it('has no code that is wider than a phone', () => {
    expect(indentedCode(pages.get(path)!)).toEqual([])
  })
})

describe.each(written)('%s', (name) => {
  const text = readFileSync(join(PAGES, name), 'utf8')

  it('has no code that is neither checked nor marked', () => {
    expect(unmarkedBlocks(text)).toEqual([])
  })

  it('shows files that exist', () => {
    expect(snippets(text).filter((path) => !existsSync(join(PAGES, path)))).toEqual([])
  })
})

it('lists every page in the sidebar, and nothing else', () => {
  const listed = SECTIONS.flatMap((section) => section.pages.map(({ path }) => path)).filter(
    (path) => path !== '/api/',
  )
  expect(listed.sort()).toEqual([...pages.keys()].filter((path) => path !== '/index').sort())
})

it('explains every error code on its page', () => {
  expect([...anchorsOf(pages.get('/reference/errors')!)].sort()).toEqual(
    ['errors', ...Object.keys(ERROR_CODES).map((code) => code.toLowerCase().replaceAll('_', '-'))].sort(),
  )
})

it('notices a dead link, a dead anchor, and code of an unknown kind', () => {
  const made = new Map([
    [
      '/a',
      '# A\n\n[x](/b) [x](/b#one) [x](/b#two) [x](/c) [x](https://github.com/netts/netts/tree/main/nothing)',
    ],
    ['/b', '# B\n\n## One\n'],
  ])
  expect(deadLinks('/a', made)).toEqual(['/b#two', '/c', 'https://github.com/netts/netts/tree/main/nothing'])
  expect(indentedCode('# A\n\n    code\n')).toEqual(['    code'])
  expect(unmarkedBlocks('```rust\nfn\n```\n')).toEqual(['rust'])
})

it('gives programs a list of the pages, and pages with their files in place', () => {
  expect(llmsIndex()).toContain('- [Start](/start.md)')
  expect(withSnippets('<<< ../../../examples/echo/client.ts')).toContain('await connection.close()')
})

describe('the manifests', () => {
  const kinds = { ConfigMap, Deployment, Pod, Service }
  const folder = join(PAGES, 'kubernetes-manifests')
  const documents = readdirSync(folder).flatMap((file) =>
    parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => ({
      file,
      manifest: document.toJS() as { kind: keyof typeof kinds; apiVersion: string },
    })),
  )

  it.each(documents)('$file: $manifest.kind keeps the schema of Kubernetes', ({ manifest }) => {
    const Kind = kinds[manifest.kind]
    const model = new Kind(manifest as never)
    expect(model.apiVersion).toBe(manifest.apiVersion)
    model.validate()
  })

  it('a manifest with a wrong field is noticed', () => {
    expect(() => new Pod({ spec: { containers: [{ name: 1 }] } } as never).validate()).toThrow()
  })
})
