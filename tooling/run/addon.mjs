/**
 * The C++ addon of @netts/verbs and the loopback device to test it on, built for this clone: with what they need
 * installed where that is allowed, and without RDMA, saying what is missing, where it is not.
 */
import { existsSync } from 'node:fs'
import { run } from './bootstrap.mjs'

/** Debian's packages with the headers of rdma-core. */
const HEADERS = [
  { file: '/usr/include/infiniband/verbs.h', debian: 'libibverbs-dev' },
  { file: '/usr/include/rdma/rdma_cma.h', debian: 'librdmacm-dev' },
]

/** Builds both unless they are up to date. @returns whether that went well */
export async function buildAddon() {
  if (process.platform !== 'linux') return true
  const missing = HEADERS.filter(({ file }) => !existsSync(file)).map(({ debian }) => debian)
  if (missing.length > 0 && process.getuid() === 0 && existsSync('/usr/bin/apt-get')) {
    console.error(`Installing ${missing.join(' and ')}, which @netts/verbs is built with…`)
    const install = ['apt-get', 'install', '--yes', '--quiet=2', '--no-install-recommends', ...missing]
    const quietly = (...command) => run('env', ['DEBIAN_FRONTEND=noninteractive', ...command], 'ignore')
    if ((await quietly(...install)) !== 0) {
      await quietly('apt-get', 'update', '--quiet=2')
      await quietly(...install)
    }
  }
  // What is still missing is said there, with the command that mends it.
  const build = [
    'pnpm',
    '--silent',
    '--filter',
    '@netts/verbs',
    '--filter',
    '@netts/loopback',
    'run',
    'build:native',
  ]
  return (await run('npx', build, 'stderr')) === 0
}
