/** The addon of `@netts/verbs` by itself, over libraries that do nothing (`addon/noop-verbs.c`). */
import { execFile } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { RunSpec } from '../run/protocol.js'
import type { ProgramContender } from './contender.js'
import { missing } from './program.js'

const run = promisify(execFile)

/** From here as from the bundles, which are one folder nearer to the package's root. */
const inPackage = (path: string) =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? `../../${path}` : `../${path}`, import.meta.url))

async function compileLibrary(folder: string): Promise<string> {
  const library = join(folder, 'noop-verbs.so')
  await run('cc', [
    '-std=gnu11',
    '-O2',
    '-shared',
    '-fPIC',
    '-o',
    library,
    inPackage('src/addon/noop-verbs.c'),
  ])
  return library
}

export const verbsAddon: ProgramContender = {
  id: 'verbs',
  title: '@netts/verbs addon',
  about: 'posting and polling through the addon, over a device that does nothing',
  async unavailable() {
    const compiler = await missing(['cc'], 'gcc')
    if (compiler) return compiler
    try {
      await access('/usr/include/infiniband/verbs.h')
      await access('/usr/include/rdma/rdma_cma.h')
    } catch {
      return 'the headers of rdma-core are not installed (Debian packages libibverbs-dev and librdmacm-dev)'
    }
    const { rdmaAvailability } = await import('@netts/verbs')
    const found = rdmaAvailability()
    return !found.available && found.reason === 'addon-missing' ? found.message : undefined
  },
  async run({ batch = 1 }: RunSpec) {
    const folder = await mkdtemp(join(tmpdir(), 'netts-bench-'))
    try {
      const library = await compileLibrary(folder)
      const { stdout } = await run(process.execPath, [inPackage('dist/addon-cost.js'), String(batch)], {
        env: { ...process.env, NETTS_IBVERBS_LIB: library, NETTS_RDMACM_LIB: library },
      })
      return JSON.parse(stdout) as Record<string, number>
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}
