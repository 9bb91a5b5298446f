/** `npm run release:check`: the dry run of a release, from a fresh clone on. */
import { parseArgs } from 'node:util'
import { buildAddon } from './addon.mjs'
import { bootstrap, run, runTypeScript } from './bootstrap.mjs'

// The rest is the program's own.
const { values } = parseArgs({
  options: { 'keep-prebuilds': { type: 'boolean' } },
  strict: false,
})
const words = process.argv.slice(2).filter((word) => word !== '--keep-prebuilds')

await bootstrap()
const needed = async (...command) => {
  if ((await run('npx', command)) !== 0) process.exit(1)
}
if (!values['keep-prebuilds']) {
  // Installs the headers of rdma-core; its addon for this machine is replaced by the one for releases.
  if (!(await buildAddon())) process.exit(1)
  await needed('pnpm', '--silent', '--filter', '@netts/verbs', 'run', 'build:prebuilds')
}
await needed('turbo', 'run', 'build', '--output-logs=errors-only')
process.exitCode = await runTypeScript('tooling/run/src/release/main.ts', words)
