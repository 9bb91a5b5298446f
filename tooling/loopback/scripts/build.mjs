/**
 * Builds the library and its reference program into build/release, or with --sanitize into build/sanitized, with
 * AddressSanitizer and UBSan. Where a compiler or the headers are missing it says so and succeeds: the tests that need
 * it are skipped then. Under CI that is a failure.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sanitize = process.argv.includes('--sanitize')

/** What the build needs, and the Debian package each comes from. */
function missing() {
  if (process.platform !== 'linux') return [`Linux (this is ${process.platform})`]
  const wanted = [
    { what: 'g++', isThere: spawnSync('g++', ['--version']).status === 0, debian: 'g++' },
    { what: 'make', isThere: spawnSync('make', ['--version']).status === 0, debian: 'make' },
    ...[
      { header: 'infiniband/verbs.h', debian: 'libibverbs-dev' },
      { header: 'rdma/rdma_cma.h', debian: 'librdmacm-dev' },
    ].map(({ header, debian }) => ({ what: header, isThere: existsSync(`/usr/include/${header}`), debian })),
  ]
  return wanted
    .filter(({ isThere }) => !isThere)
    .map(({ what, debian }) => `${what}: apt-get install ${debian}`)
}

const lacking = missing()
if (lacking.length > 0) {
  console.error(`@netts/loopback: not built. Missing:\n  ${lacking.join('\n  ')}`)
  process.exit(process.env.CI === 'true' ? 1 : 0)
}
const args = ['--silent', '-C', root, '-j2', ...(sanitize ? ['SANITIZE=1'] : [])]
const { status } = spawnSync('make', args, { stdio: 'inherit' })
if (status !== 0) {
  console.error('@netts/loopback: it did not compile')
  process.exit(1)
}
console.log(`@netts/loopback: built build/${sanitize ? 'sanitized' : 'release'}/netts_loopback.so`)
