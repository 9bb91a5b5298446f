/** The addon on the no-op device, where there is no RDMA: everything posted completes, with sanitizers where built. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type CrossingCost, NOOP_DEVICE } from './crossing-cost.js'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SANITIZED = here('../../build/sanitized/netts_verbs.node')

/** In a process of its own, whose libraries are not loaded yet. */
function measure(batch: number, environment: NodeJS.ProcessEnv = {}): CrossingCost {
  const program = `import { measureCrossingCost } from ${JSON.stringify(here('./crossing-cost.ts'))}
    console.log(JSON.stringify(await measureCrossingCost(${batch}, 100)))`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@netts/source', '--import', 'tsx', '--input-type=module', '-e', program],
    { env: { ...process.env, ...environment }, encoding: 'utf8' },
  )
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout) as CrossingCost
}

describe.skipIf(!existsSync(NOOP_DEVICE))('crossing into the addon', () => {
  it('completes whatever is posted, in batches of any size', () => {
    for (const batch of [1, 32, 200]) {
      const cost = measure(batch)
      expect(cost.batch).toBe(batch)
      expect(cost.nsPerWorkRequest).toBeGreaterThan(0)
    }
  })

  it.skipIf(!existsSync(SANITIZED))('says nothing under AddressSanitizer and UBSan', () => {
    const { stdout } = spawnSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' })
    const environment = {
      LD_PRELOAD: stdout.trim(),
      ASAN_OPTIONS: 'detect_leaks=0',
      NETTS_VERBS_ADDON: SANITIZED,
    }
    expect(measure(32, environment).batch).toBe(32)
  })
})
