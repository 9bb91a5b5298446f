/**
 * A newcomer's walk: from an empty directory, with packed packages and the code that the site's pages show, to a service
 * with TLS, deadlines and draining, a unit test, a driver that passes conformance, and what `doctor` says.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ScratchProject } from './scratch-project.js'
import { pack, publicPackages, root } from './workspace.js'

const pages = join(root, 'tooling/site/pages')
const modules = createRequire(import.meta.url)
const project = new ScratchProject()
const destination = mkdtempSync(join(tmpdir(), 'netts-tarballs-'))

/** Copies the files that a page shows into a folder of the project. */
function copyFrom(page: string, folder = '.'): string[] {
  const text = readFileSync(join(pages, page), 'utf8')
  const files = [...text.matchAll(/^<<< (\S+)$/gm)].map(([, path]) => path!)
  return files.map((path) => {
    cpSync(join(pages, path), join(project.directory, folder, basename(path)))
    return join(folder, basename(path))
  })
}

beforeAll(() => {
  const all = publicPackages()
  const tarballs = new Map(all.map((target) => [target.name, pack(target, destination)]))
  project.install(
    ['core', 'tcp', 'tls', 'mock', 'conformance', 'cli'].map((name) => `@netts/${name}`),
    tarballs,
  )
  const { dependencies, overrides } = JSON.parse(
    readFileSync(join(project.directory, 'package.json'), 'utf8'),
  )
  project.write('package.json', JSON.stringify({ private: true, type: 'module', dependencies, overrides }))
  // What `npm install --save-dev vitest tsx` brings.
  for (const name of ['vitest', 'tsx']) {
    symlinkSync(
      dirname(modules.resolve(`${name}/package.json`)),
      join(project.directory, 'node_modules', name),
    )
  }
})
afterAll(() => {
  project[Symbol.dispose]()
  rmSync(destination, { recursive: true, force: true })
})

const node = (...args: string[]) => spawn(process.execPath, args, { cwd: project.directory })

it('a service and a client with TLS, a deadline, and draining on SIGTERM', async () => {
  const commands = /```sh\n(openssl [\s\S]*?)```/.exec(readFileSync(join(pages, 'tls.md'), 'utf8'))![1]!
  execFileSync('sh', ['-e', '-c', commands], { cwd: project.directory, stdio: 'pipe' })
  const recipe = copyFrom('rpc.md').filter((file) => file !== 'server.ts')
  const programs = join(root, 'tooling/run/src/packages/programs/newcomer')
  for (const name of ['server.ts', 'client.ts']) {
    const text = readFileSync(join(programs, name), 'utf8')
    project.write(name, text.replaceAll('../../../../../../examples/rpc/', './'))
  }
  expect(project.typeCheck(...recipe, 'server.ts', 'client.ts')).toMatchObject({ status: 0, stdout: '' })

  const server = node('--import', 'tsx', 'server.ts')
  const lines: string[] = []
  const reader = createInterface(server.stdout).on('line', (line) => void lines.push(line))
  await once(reader, 'line')
  const { port } = JSON.parse(lines[0]!.slice('listening '.length))
  const ended = once(server, 'exit')
  const client = node('--import', 'tsx', 'client.ts', String(port), String(server.pid))
  let printed = ''
  client.stdout.on('data', (data) => {
    printed += data
  })
  expect(await once(client, 'close')).toEqual([0, null])
  expect(printed).toBe(
    'TLS TLSv1.3\nhello netts\ndeadline: slow did not answer within 200 ms\nunder way while it drains: done\n',
  )
  expect(await ended).toEqual([0, null])
  expect(lines.slice(1)).toEqual(['draining', 'drained'])
})

it('a unit test with the mock and fake timers, and a driver that passes conformance', async () => {
  const files = [...copyFrom('testing.md', 'unit'), ...copyFrom('drivers.md', 'driver')]
  expect(files).toContain('driver/channels.test.ts')
  const runner = node(
    join(dirname(modules.resolve('vitest/package.json')), 'vitest.mjs'),
    'run',
    '--root',
    '.',
  )
  let printed = ''
  runner.stdout.on('data', (data) => {
    printed += data
  })
  expect(await once(runner, 'close'), printed).toEqual([0, null])
  expect(printed).toMatch(/2 passed/)
})

it('doctor, as its page runs it, ends with a verdict and a remedy for each condition that fails', async () => {
  expect(readFileSync(join(pages, 'doctor.md'), 'utf8')).toContain('npx @netts/cli doctor\n')
  const doctor = spawn('npx', ['--no', '@netts/cli', 'doctor', '--quiet'], { cwd: project.directory })
  let printed = ''
  doctor.stdout.on('data', (data) => {
    printed += data
  })
  const [status] = await once(doctor, 'close')
  const conditions = printed.split(/^(?=[✓✗–·] )/mu)
  expect(conditions.length, printed).toBeGreaterThan(8)
  const failed = conditions.filter((condition) => condition.startsWith('✗'))
  for (const condition of failed) expect(condition).toContain('→ ')
  expect(printed).toMatch(
    status === 0 ? /^RDMA works here\.$/m : /^RDMA (does not work here|works here, with problems)\.$/m,
  )
  expect(status).toBe(failed.length === 0 ? 0 : 1)
})
