/** The addon of `@netts/verbs` by itself, over libraries that do nothing (`noop-device/` of `@netts/verbs`). */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { RunSpec } from '../spec.js'
import type { ProgramContender } from './contender.js'

const run = promisify(execFile)

/** From here as from the bundles, which are one folder nearer to the package's root. */
const inPackage = (path: string) =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? `../../${path}` : `../${path}`, import.meta.url))

/** A stand-in for rdma-core, which the build of the addon leaves beside it. */
const library = inPackage('../../native/src/build/Release/noop_verbs.node')

export const verbsAddon: ProgramContender = {
  id: 'verbs',
  title: '@netts/verbs addon',
  about: 'posting and polling through the addon, over a device that does nothing',
  async unavailable() {
    if (!existsSync(library))
      return 'the addon was not built here (npx pnpm --filter @netts/verbs build:native)'
    const { rdmaAvailability } = await import('@netts/verbs')
    const found = rdmaAvailability()
    return !found.available && found.reason === 'addon-missing' ? found.message : undefined
  },
  async run({ batch = 1 }: RunSpec) {
    const { stdout } = await run(process.execPath, [inPackage('dist/addon-cost.js'), String(batch)], {
      env: { ...process.env, NETTS_IBVERBS_LIB: library, NETTS_RDMACM_LIB: library },
    })
    return JSON.parse(stdout) as Record<string, number>
  },
}
