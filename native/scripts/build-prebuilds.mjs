/**
 * Builds the addons that are published, for every target of targets.mjs, on Linux x64: by Zig's compiler, see zig.mjs.
 * With `--target NAME`, which may be repeated, only those. Check the result with check-prebuilds.mjs.
 *
 * Run it through pnpm or npm: they hand their configuration (`nodedir`) on to node-gyp.
 */
import { cpSync, existsSync, rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { compile, copyOfSources, place, root } from './compile.mjs'
import { TARGETS } from './targets.mjs'
import { zig } from './zig.mjs'

const { values } = parseArgs({ options: { target: { type: 'string', multiple: true } } })
const names = values.target ?? Object.keys(TARGETS)

/** The headers of rdma-core, the same for every target, away from those of this machine's C library. */
function rdmaHeaders() {
  const copy = `${root}src/build/rdma-headers`
  for (const [folder, debian] of [
    ['infiniband', 'libibverbs-dev'],
    ['rdma', 'librdmacm-dev'],
  ]) {
    if (!existsSync(`/usr/include/${folder}`)) {
      throw new Error(`no <${folder}/…> headers: apt-get install ${debian}`)
    }
    cpSync(`/usr/include/${folder}`, `${copy}/${folder}`, { recursive: true, preserveTimestamps: true })
  }
  return copy
}

const compiler = zig()
const headers = rdmaHeaders()
for (const name of names) {
  const target = TARGETS[name]
  if (target === undefined)
    throw new Error(`no such target: ${name}; there are ${Object.keys(TARGETS).join(', ')}`)
  const source = copyOfSources(name)
  const cxx = `'${compiler}' c++ -target ${target.compiler}`
  const compiled = compile(source, {
    args: [`--arch=${target.arch}`, `--jobs=${cpus().length}`],
    env: {
      CC: `'${compiler}' cc -target ${target.compiler}`,
      CXX: cxx,
      LINK: cxx,
      AR: `'${compiler}' ar`,
      CXXFLAGS: `-isystem '${headers}'`,
      // No debug information.
      LDFLAGS: '-s',
    },
  })
  if (!compiled) {
    console.error(`@netts/verbs: the addon did not compile for ${name}`)
    // Whatever lies there is older than the sources.
    rmSync(`${root}prebuilds/${name}`, { recursive: true, force: true })
    process.exit(1)
  }
  place(source, `prebuilds/${name}`)
}
