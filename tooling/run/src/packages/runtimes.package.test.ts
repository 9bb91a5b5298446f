/** Bun and Deno: everything but RDMA works there, and RDMA says that it does not. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ScratchProject } from './scratch-project.js'
import { pack, publicPackages, withDependencies } from './workspace.js'

const PROGRAM = fileURLToPath(new URL('programs/runtimes/main.mjs', import.meta.url))
const modules = createRequire(import.meta.url)
const project = new ScratchProject()
const destination = mkdtempSync(join(tmpdir(), 'netts-tarballs-'))

beforeAll(() => {
  const wanted = [
    '@netts/core',
    '@netts/mock',
    '@netts/rdma-ring',
    '@netts/rdma-sendrecv',
    '@netts/tcp',
    '@netts/verbs',
  ]
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

/** The program of a runtime that is an npm package with one optional dependency for each platform. */
function runtimeProgram(name: 'bun' | 'deno'): string {
  const manifest = modules.resolve(`${name}/package.json`)
  const { optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  const of = createRequire(manifest)
  for (const platform of Object.keys(optionalDependencies)) {
    for (const file of [`bin/${name}`, name, `bin/${name}.exe`, `${name}.exe`]) {
      try {
        return of.resolve(`${platform}/${file}`)
      } catch {
        // That of another platform.
      }
    }
  }
  throw new Error(`${name} is not installed for ${process.platform}-${process.arch}`)
}

const RUNTIMES = [
  { name: 'Bun', program: 'bun', args: ['run', 'main.mjs'] },
  { name: 'Deno', program: 'deno', args: ['run', '--allow-all', 'main.mjs'] },
] as const

describe.each(RUNTIMES)('$name', ({ name, program, args }) => {
  it('has TCP, the mock and the simulated device, and says that RDMA needs Node.js', () => {
    const { status, stdout, stderr } = spawnSync(runtimeProgram(program), args, {
      cwd: project.directory,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, NODE_OPTIONS: '', NODE_PATH: '' },
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(stdout.split('\n')).toEqual([
      'hello over tcp',
      'hello over mock',
      'hello over simulated',
      'ERR_NETTS_CONNECT_FAILED',
      expect.stringMatching(`^runtime-unsupported RDMA needs Node.js, and this is ${name} [0-9.]+\\.$`),
      'ERR_NETTS_UNAVAILABLE',
      'ERR_NETTS_UNAVAILABLE',
      'ERR_NETTS_UNAVAILABLE',
      '',
    ])
  })
})
