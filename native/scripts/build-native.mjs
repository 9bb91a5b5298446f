/**
 * Builds the C++ addon with this machine's compiler, and puts it where the package loads it from:
 * prebuilds/<platform>-<arch>/. What is published is built by build-prebuilds.mjs.
 * Where a compiler or the headers are missing it says so and succeeds: everything else works without RDMA. With
 * --required, or under CI, that is a failure.
 *
 * With --sanitize it builds build/sanitized/netts_verbs.node with AddressSanitizer and UBSan, which is not packed;
 * test/lab/sanitized.ts runs programs with it.
 *
 * Run it through pnpm or npm: they hand their configuration (`nodedir`) on to node-gyp.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { compile, copyOfSources, place, root } from './compile.mjs'

const { values } = parseArgs({
  options: { required: { type: 'boolean' }, sanitize: { type: 'boolean' } },
})
const mustSucceed = values.required || process.env.CI === 'true'

/** What the build needs, and the Debian package each comes from. */
function missing() {
  if (process.platform !== 'linux') return [`Linux (this is ${process.platform})`]
  const wanted = [
    { what: 'a C++ compiler (g++)', test: ['g++', '--version'], debian: 'g++' },
    { what: 'make', test: ['make', '--version'], debian: 'make' },
    { what: 'python3', test: ['python3', '--version'], debian: 'python3' },
    { what: '<infiniband/verbs.h>', header: 'infiniband/verbs.h', debian: 'libibverbs-dev' },
    { what: '<rdma/rdma_cma.h>', header: 'rdma/rdma_cma.h', debian: 'librdmacm-dev' },
  ]
  return wanted
    .filter(({ test, header }) =>
      header === undefined
        ? spawnSync(test[0], test.slice(1)).status !== 0
        : spawnSync('g++', ['-E', '-x', 'c++', '-'], { input: `#include <${header}>` }).status !== 0,
    )
    .map(({ what, debian }) => `${what}: apt-get install ${debian}`)
}

function fail(message) {
  console.error(message)
  process.exit(mustSucceed ? 1 : 0)
}

const lacking = missing()
if (lacking.length > 0) {
  fail(`@netts/verbs: the addon is not built, RDMA will be unavailable. Missing:\n  ${lacking.join('\n  ')}`)
}

const source = values.sanitize ? copyOfSources('sanitized') : `${root}src`
if (!compile(source, { defines: values.sanitize ? ['-Dsanitize=1'] : [] })) {
  console.error('@netts/verbs: the addon did not compile')
  process.exit(1)
}
if (values.sanitize) place(source, 'build/sanitized', ['netts_verbs', 'fault'])
else place(source, `prebuilds/${process.platform}-${process.arch}`)
