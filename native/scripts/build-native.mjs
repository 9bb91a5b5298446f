/**
 * Builds the C++ addon and puts it where the package loads it from: prebuilds/<platform>-<arch>/.
 * Where a compiler or the headers are missing it says so and succeeds: everything else works without RDMA. With
 * --required, or under CI, that is a failure.
 *
 * With --sanitize it builds build/sanitized/netts_verbs.node with AddressSanitizer and UBSan, which is not packed;
 * test/lab/sanitized.ts runs programs with it.
 *
 * Run it through pnpm or npm: they hand their configuration (`nodedir`) on to node-gyp.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
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

const source = values.sanitize ? copyOfSources() : `${root}src`

/** node-gyp has one output folder for each source folder. */
function copyOfSources() {
  const copy = `${root}src/build/sanitized`
  for (const name of readdirSync(`${root}src`)) {
    if (name !== 'build')
      cpSync(`${root}src/${name}`, `${copy}/${name}`, { recursive: true, preserveTimestamps: true })
  }
  return copy
}

const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
// A second build compiles only what changed.
const command = existsSync(`${source}/build/Makefile`) ? 'build' : 'rebuild'
const defines = values.sanitize && command === 'rebuild' ? ['--', '-Dsanitize=1'] : []
const args = [nodeGyp, command, `--directory=${source}`, '--silent', ...defines]
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
if (status !== 0) {
  console.error('@netts/verbs: the addon did not compile')
  process.exit(1)
}

const place = values.sanitize ? 'build/sanitized' : `prebuilds/${process.platform}-${process.arch}`
const directory = `${root}${place}`
mkdirSync(directory, { recursive: true })
for (const name of values.sanitize ? ['netts_verbs', 'fault'] : ['netts_verbs']) {
  // Renamed into place: a process that has the old one loaded keeps it intact.
  copyFileSync(`${source}/build/Release/${name}.node`, `${directory}/${name}.node.new`)
  renameSync(`${directory}/${name}.node.new`, `${directory}/${name}.node`)
}
console.log(`@netts/verbs: built ${place}/netts_verbs.node`)
