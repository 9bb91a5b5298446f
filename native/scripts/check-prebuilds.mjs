/**
 * Checks the addons that are published, as far as can be told without running them: that there is one for every
 * target, and that each asks its machine for nothing that a user's may lack. A package without one is not published.
 *
 * With a folder as its argument it checks that one in place of `prebuilds/`, such as that of an unpacked tarball.
 */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './compile.mjs'
import { inspect, violations } from './elf.mjs'
import { TARGETS } from './targets.mjs'

const folder = process.argv[2] ?? `${root}prebuilds`
let failed = false
for (const [name, target] of Object.entries(TARGETS)) {
  const file = join(folder, name, 'netts_verbs.node')
  if (!existsSync(file)) {
    failed = true
    console.error(
      `✗ ${name}: ${file} is missing. Build it by "npx pnpm --filter @netts/verbs run build:prebuilds"`,
    )
    continue
  }
  const found = inspect(file)
  const wrong = violations(found, target)
  failed ||= wrong.length > 0
  for (const sentence of wrong) console.error(`✗ ${name}: ${sentence}`)
  if (wrong.length > 0) continue
  const size = `${Math.round(statSync(file).size / 1024)} KiB`
  const libc = found.newestGlibc === undefined ? 'no glibc' : `glibc ${found.newestGlibc}`
  console.log(`✓ ${name}: ${size}, ${libc}, Node-API ${found.nodeApi}, needs ${found.libraries.join(', ')}`)
}
if (failed) process.exitCode = 1
