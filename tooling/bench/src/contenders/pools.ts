/** Pools of connections: what it costs to borrow one from each. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ProgramContender } from './contender.js'

const run = promisify(execFile)

/** From here as from the bundles, which are one folder nearer to the package's root. */
const program = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/pool-cycle.js' : '../dist/pool-cycle.js',
    import.meta.url,
  ),
)

function pool(id: string, title: string, about: string): ProgramContender {
  return {
    id,
    title,
    about,
    async run() {
      const { stdout } = await run(process.execPath, [program, id])
      const { cycle } = JSON.parse(stdout) as { cycle: number }
      return { cycle, cycles: 1e9 / cycle }
    },
  }
}

export const pools: readonly ProgramContender[] = [
  pool('pool', '@netts/pool', 'a pool over connections in memory to one endpoint'),
  pool(
    'pool-three',
    '@netts/pool, three endpoints',
    'the same over three, of which two are picked by chance',
  ),
  pool('undici', 'undici Pool', 'it lends no connections: a dispatch to a client that does nothing'),
  pool('generic-pool', 'generic-pool', 'acquire and release of the same connections in memory'),
  pool('tarn', 'tarn', 'acquire and release of the same connections in memory'),
]
