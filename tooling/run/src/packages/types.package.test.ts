/**
 * The declarations under every TypeScript that users have, in a project that has nothing else: no `types`, no
 * `@types/node` of its own. With `skipLibCheck`, a name that a declaration cannot find becomes `any` without an error.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Compiler, ScratchProject } from './scratch-project.js'
import { pack, publicPackages } from './workspace.js'

const USES = readFileSync(fileURLToPath(new URL('programs/types.ts', import.meta.url)), 'utf8')
/** How Node.js resolves, without the DOM, and how bundlers do, beside the DOM. */
const RESOLUTIONS = {
  nodenext: { files: ['esm.mts', 'cjs.cts'], options: { module: 'nodenext', lib: ['es2022'] } },
  node16: { files: ['esm.mts', 'cjs.cts'], options: { module: 'node16', lib: ['es2022'] } },
  bundler: {
    files: ['bundled.ts'],
    options: { module: 'preserve', moduleResolution: 'bundler', lib: ['es2022', 'dom'] },
  },
}
const COMPILERS: readonly { compiler: Compiler; resolutions: readonly (keyof typeof RESOLUTIONS)[] }[] = [
  { compiler: 'typescript-5.4', resolutions: ['node16', 'bundler'] },
  { compiler: 'typescript-5.9', resolutions: ['nodenext', 'bundler'] },
  { compiler: 'typescript', resolutions: ['nodenext', 'bundler'] },
  { compiler: 'typescript-7', resolutions: ['node16', 'nodenext', 'bundler'] },
]

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

describe.each(COMPILERS)('$compiler', ({ compiler, resolutions }) => {
  // One process for all of them, which takes half the time.
  it(`finds every type by ${resolutions.join(' and ')}, with and without skipLibCheck`, () => {
    const folders = resolutions.flatMap((resolution) =>
      [true, false].map((skipLibCheck) => {
        const folder = `${compiler}, ${resolution}${skipLibCheck ? ', skipLibCheck' : ''}`
        const { files, options } = RESOLUTIONS[resolution]
        for (const file of files) project.write(`${folder}/${file}`, USES)
        project.configure(folder, files, { ...options, skipLibCheck })
        return folder
      }),
    )
    expect(project.tsc(compiler, ['--build', ...folders])).toMatchObject({ status: 0, stdout: '' })
  })
})

it.each(['typescript', 'typescript-7'] as const)(
  'a project made by `tsc --init` of %s finds every type',
  (compiler) => {
    const folder = `made by ${compiler}`
    project.write(`${folder}/package.json`, '{ "type": "module" }')
    project.write(`${folder}/index.ts`, USES)
    expect(project.tsc(compiler, ['--init'], folder)).toMatchObject({ status: 0 })
    expect(project.tsc(compiler, ['--noEmit'], folder)).toMatchObject({ status: 0, stdout: '' })
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
