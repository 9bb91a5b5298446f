/**
 * The declarations under every TypeScript that users have, in a project that has nothing else: no `types`, no
 * `@types/node` of its own. `types.deep.test.ts` has all combinations. With `skipLibCheck`, a name that a declaration cannot find becomes `any` without an error.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ScratchProject } from './scratch-project.js'
import { checkInitialized, checkTypes, USES } from './type-matrix.js'
import { pack, publicPackages } from './workspace.js'

const project = new ScratchProject()
const destination = mkdtempSync(join(tmpdir(), 'netts-tarballs-'))

beforeAll(() => {
  const all = publicPackages()
  const tarballs = new Map(all.map((target) => [target.name, pack(target, destination)]))
  project.install([...tarballs.keys()], tarballs)
})
afterAll(() => {
  project[Symbol.dispose]()
  rmSync(destination, { recursive: true, force: true })
})

it.each([
  { compiler: 'typescript-5.4', resolutions: ['node16', 'node10'] },
  { compiler: 'typescript-5.9', resolutions: ['nodenext'] },
  { compiler: 'typescript', resolutions: ['bundler'] },
  { compiler: 'typescript-7', resolutions: ['node16', 'nodenext', 'bundler'] },
] as const)('$compiler finds every type by $resolutions, with and without skipLibCheck', (row) => {
  expect(checkTypes(project, row.compiler, row.resolutions)).toMatchObject({ status: 0, stdout: '' })
})

it.each(['typescript', 'typescript-7'] as const)(
  'a project made by `tsc --init` of %s finds every type',
  (compiler) => {
    expect(checkInitialized(project, compiler, 'module')).toMatchObject({ status: 0, stdout: '' })
  },
)

it('what became `any` does not compile: the program of these tests tells', () => {
  rmSync(join(project.directory, 'node_modules/@types'), { recursive: true })
  const folder = 'without the types of Node.js'
  // A Buffer of the program's own, so that only the packages' is missing.
  project.write(`${folder}/esm.mts`, `${USES}\ninterface Buffer extends Uint8Array {}\n`)
  project.configure(folder, ['esm.mts'], { lib: ['es2022', 'esnext.disposable', 'dom'], skipLibCheck: true })
  const { status, stdout } = project.tsc('typescript-7', ['-p', folder])
  expect(status).not.toBe(0)
  expect(stdout).toContain("'false' does not satisfy the constraint 'true'")
})
