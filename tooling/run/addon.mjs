/**
 * The C++ addon of @netts/verbs and the loopback device to test it on, built for this clone: with what they need
 * installed where that is allowed, and without RDMA, saying what is missing, where it is not.
 */
import { run } from './bootstrap.mjs'
import { installMissing } from './debian.mjs'

/** Debian's packages with the headers of rdma-core. */
const HEADERS = [
  { debian: 'libibverbs-dev', files: ['/usr/include/infiniband/verbs.h'] },
  { debian: 'librdmacm-dev', files: ['/usr/include/rdma/rdma_cma.h'] },
]

/** Builds both unless they are up to date. @returns whether that went well */
export async function buildAddon() {
  if (process.platform !== 'linux') return true
  await installMissing(HEADERS, 'to build @netts/verbs with')
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
