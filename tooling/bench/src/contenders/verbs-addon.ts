/** The addon of `@netts/verbs` by itself: what it costs more than the same calls in C, over the loopback device. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { costProgram, loopbackEnvironment, loopbackIsMissing } from '@netts/loopback'
import type { RunSpec } from '../spec.js'
import type { ProgramContender } from './contender.js'
import { inPackage } from './in-package.js'

const run = promisify(execFile)

export const verbsAddon: ProgramContender = {
  id: 'verbs',
  title: '@netts/verbs addon',
  about: 'posting and polling through the addon, beyond what the same calls cost in C',
  async unavailable() {
    if (loopbackIsMissing())
      return 'the loopback device was not built here (npx pnpm --filter @netts/loopback build:native)'
    const { rdmaAvailability } = await import('@netts/verbs')
    const found = rdmaAvailability()
    return !found.available && found.reason === 'addon-missing' ? found.message : undefined
  },
  async run({ batch = 1 }: RunSpec) {
    const env = { ...process.env, ...loopbackEnvironment({ latencyNs: 0 }) }
    const costOf = async (program: string, ...args: string[]) => {
      const { stdout } = await run(program, [...args, String(batch)], { env })
      return JSON.parse(stdout) as Record<string, number>
    }
    const addon = await costOf(process.execPath, inPackage('dist/addon-cost.js'))
    const inC = await costOf(costProgram())
    // Of what an end costs, the part that the device itself has.
    const share: Record<string, number | undefined> = {
      post: inC.post,
      writeAndPost: inC.post,
      poll: inC.poll,
      pollAndRead: inC.poll,
    }
    return Object.fromEntries(
      Object.entries(addon).map(([metric, ns]) => [metric, ns - (share[metric] ?? 0)]),
    )
  },
}
