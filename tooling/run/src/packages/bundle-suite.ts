/**
 * What is tested of applications that a bundler made one file of: the addon is no JavaScript and stays outside. Such a
 * program finds it where the bundle's folder or its node_modules has it, or says what to copy.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loopbackEnvironment, loopbackIsMissing } from '@netts/loopback'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ProgramResult, ScratchProject } from './scratch-project.js'
import { pack, publicPackages, withDependencies } from './workspace.js'

const PROGRAM = fileURLToPath(new URL('programs/bundled/main.mjs', import.meta.url))

/** Makes a bundle of the program `input` at the path `output`, with @netts/verbs or without it. */
export type Bundler = (input: string, output: string, isVerbsExternal: boolean) => Promise<void>

/** A bundler, and what its bundle is called. */
export interface NamedBundler {
  readonly name: string
  readonly file: string
  readonly bundle: Bundler
}

/** The package's subpaths too, which drivers import. */
export const VERBS = /^@netts\/verbs/

/** Registers the tests of each bundler with vitest. */
export function bundleSuite(bundlers: readonly NamedBundler[]): void {
  const project = new ScratchProject()
  const destination = mkdtempSync(join(tmpdir(), 'netts-tarballs-'))

  beforeAll(() => {
    const wanted = ['@netts/core', '@netts/rdma-sendrecv', '@netts/tcp', '@netts/verbs']
    const all = publicPackages()
    const needed = new Set(wanted.flatMap((name) => withDependencies(name, all)))
    const tarballs = new Map([...needed].map((target) => [target.name, pack(target, destination)]))
    project.install(wanted, tarballs)
    cpSync(PROGRAM, join(project.directory, 'main.mjs'))
  })
  afterAll(() => {
    project[Symbol.dispose]()
    rmSync(destination, { recursive: true, force: true })
  })

  describe.each(bundlers)('a program bundled by $name', ({ name, file, bundle }) => {
    /** Beside node_modules. */
    const near = join(project.directory, name, file)
    /** On a machine to which only the bundle was copied. */
    const elsewhere = mkdtempSync(join(tmpdir(), 'netts deployed-'))
    const away = join(elsewhere, 'dist', file)

    beforeAll(async () => {
      mkdirSync(dirname(near), { recursive: true })
      await bundle(join(project.directory, 'main.mjs'), near, false)
      cpSync(dirname(near), dirname(away), { recursive: true })
    })
    afterAll(() => rmSync(elsewhere, { recursive: true, force: true }))

    /** Runs it where there is RDMA: on the loopback device. */
    const run = (path: string, env: Record<string, string> = {}): ProgramResult =>
      project.run(path, [], 30_000, { ...loopbackEnvironment(), ...env })

    const prebuilds = () => join(project.directory, 'node_modules/@netts/verbs/prebuilds')
    const answersBoth = { status: 0, stderr: '', stdout: 'hello over tcp\nhello over rdma\n' }

    it('answers over TCP when it is copied alone, and says what RDMA lacks', () => {
      // webpack writes the paths of the building machine into the bundle, where they are not to be found later.
      const installed = join(project.directory, 'node_modules/@netts/verbs')
      renameSync(installed, `${installed}-hidden`)
      try {
        const { status, stdout, stderr } = run(away)
        expect(stderr).toBe('')
        expect(status).toBe(0)
        expect(stdout).toMatch(/^hello over tcp\naddon-missing: ERR_NETTS_UNAVAILABLE: /)
        expect(stdout).toContain(
          'mark @netts/verbs as external, or copy its folder "prebuilds" beside the bundle',
        )
        expect(stdout).toContain('NETTS_VERBS_ADDON')
      } finally {
        renameSync(`${installed}-hidden`, installed)
      }
    })

    describe.skipIf(loopbackIsMissing())('where there is RDMA', () => {
      it('runs with an installed @netts/verbs that is external', async () => {
        const output = join(project.directory, `${name}, external`, file)
        mkdirSync(dirname(output))
        await bundle(join(project.directory, 'main.mjs'), output, true)
        expect(readFileSync(output, 'utf8')).not.toContain('netts_verbs.node')
        expect(run(output)).toMatchObject(answersBoth)
      })

      it('finds the addon in the node_modules beside it', () => {
        expect(run(near)).toMatchObject(answersBoth)
      })

      it('finds the addon that was copied beside it', () => {
        const copy = join(dirname(away), 'prebuilds')
        cpSync(prebuilds(), copy, { recursive: true })
        expect(run(away)).toMatchObject(answersBoth)
        rmSync(copy, { recursive: true })
      })

      it('takes the addon that NETTS_VERBS_ADDON names', () => {
        const addon = join(prebuilds(), `${process.platform}-${process.arch}`, 'netts_verbs.node')
        expect(run(away, { NETTS_VERBS_ADDON: addon })).toMatchObject(answersBoth)
      })
    })
  })
}
