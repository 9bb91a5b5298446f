/**
 * The declarations under every TypeScript, every resolution that it knows and what its `--init` makes, in projects
 * without `@types/node` and in those that have one of their own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ScratchProject } from './scratch-project.js'
import { checkInitialized, checkTypes, MATRIX } from './type-matrix.js'
import { pack, publicPackages } from './workspace.js'

const destination = mkdtempSync(join(tmpdir(), 'netts-tarballs-'))
const tarballs = new Map<string, string>()

beforeAll(() => {
  for (const target of publicPackages()) tarballs.set(target.name, pack(target, destination))
})
afterAll(() => rmSync(destination, { recursive: true, force: true }))

/** The versions of `@types/node` that a project has itself. */
const OWN = [undefined, '20.19.0', '^24.0.0']

/** Newer ones make projects of ECMAScript modules alone: under CommonJS they refuse `import`. */
const INITIALIZED = [
  { compiler: 'typescript-5.4', type: 'commonjs' },
  ...MATRIX.map(({ compiler }) => ({ compiler, type: 'module' }) as const),
] as const

describe.each(OWN)('with @types/node %s of its own', (version) => {
  const project = new ScratchProject()
  const types = version === undefined ? [] : ['node']

  beforeAll(() => {
    project.install([...tarballs.keys()], tarballs, version === undefined ? {} : { '@types/node': version })
  })
  afterAll(() => project[Symbol.dispose]())

  it.each(MATRIX)('$compiler finds every type by $resolutions', ({ compiler, resolutions }) => {
    expect(checkTypes(project, compiler, resolutions, types)).toMatchObject({ status: 0, stdout: '' })
  })

  it.each(INITIALIZED)(
    'a project of type $type that `tsc --init` of $compiler made finds every type',
    ({ compiler, type }) => {
      expect(checkInitialized(project, compiler, type)).toMatchObject({ status: 0, stdout: '' })
    },
  )
})
